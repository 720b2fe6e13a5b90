"""Each clause of the argument in ``engine/lease.py``."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import wait
from datetime import timedelta
from threading import Event
from typing import Any
from uuid import uuid4

import pytest
from django.db import transaction
from scheduler.conf import conf
from scheduler.db.clock import DbNow, db_now
from scheduler.engine.leadership.lease import ForeignProject, LeaseLost
from scheduler.models import Execution, Lease, Node, Term
from scheduler.models.execution import Status
from scheduler.models.term import Cause

from .jobs import add, runs


def expire() -> None:
    Lease.objects.update(expires_at=DbNow() - timedelta(seconds=1))


def test_of_two_that_read_the_same_row_one_wins_whatever_the_order(a, b):
    a.register()
    b.register()
    a.do(a.lease._look)
    for term in range(1, 21):
        expire()
        looks = [peer.do(peer.lease._look) for peer in (a, b)]
        takes = [
            peer.begin(lambda peer=peer, look=look: peer.lease._take(look, Cause.EXPIRED))
            for peer, look in zip((a, b), looks, strict=True)
        ]
        assert sorted(take.result(120) for take in takes) == [False, True]
        assert Lease.objects.get().term == term
    assert list(Term.objects.order_by("term").values_list("term", flat=True)) == [*range(1, 21)]


def test_who_fights_for_the_lease_gets_terms_without_a_gap(peer):
    rivals = [peer(name) for name in "abc"]

    def fight(lease) -> list[int]:
        won = []
        while len(won) < 8:
            if lease.acquire():
                won.append(lease.term)
                lease.release()
        return won

    for rival in rivals:
        rival.register()
    fights = [rival.begin(lambda rival=rival: fight(rival.lease)) for rival in rivals]
    won = [term for each in fights for term in each.result(120)]
    assert sorted(won) == list(range(1, 25))
    assert Term.objects.count() == 24


def test_the_row_outlives_its_holders_so_the_term_only_grows(a, b):
    a.lead()
    a.end()
    assert Lease.objects.get().holder is None
    b.lead()
    assert (b.lease.term, Lease.objects.get().term) == (2, 2)


def test_a_thief_waits_for_an_open_claim_and_then_sees_it(a, b):
    a.lead()
    b.register()
    expire()
    held, go = Event(), Event()

    def claim() -> None:
        with transaction.atomic():
            a.lease.hold()
            held.set()
            assert go.wait(30)
            add(id="claimed")

    claiming = a.begin(claim)
    assert held.wait(30)
    stealing = b.begin(lambda: (b.lease.acquire(), list(seen())))
    assert not wait([stealing], timeout=0.5).done, "the thief did not wait for the fence"
    go.set()
    claiming.result(120)
    assert stealing.result(120) == (True, ["claimed"])


def seen() -> list[str]:
    from scheduler.models import Job

    return list(Job.objects.values_list("id", flat=True))


def test_after_the_theft_the_old_leader_claims_nothing_and_stands_by(a, b):
    a.lead()
    expire()
    b.lead()
    add()
    assert a.leads
    a.turn()
    assert not a.leads
    assert runs() == []
    with pytest.raises(LeaseLost):
        a.do(lambda: _in_transaction(a.lease.hold))


def _in_transaction(step) -> None:
    with transaction.atomic():
        step()


def test_equality_is_by_term_too_so_a_lease_lost_and_won_again_fences_the_older_claim(a):
    a.lead()
    Lease.objects.update(term=2)
    with pytest.raises(LeaseLost):
        a.do(lambda: _in_transaction(a.lease.hold))


def test_it_is_not_taken_from_a_holder_that_renews(a, b):
    a.lead()
    for _ in range(5):
        a.beat()
        b.turn()
    assert (a.leads, b.leads) == (True, False)
    assert Term.objects.count() == 1


@pytest.mark.parametrize("slow", ["chores", "claim"])
def test_a_transaction_that_outlasts_its_lease_does_not_lose_it_to_a_standby(
    a, b, database_clock, monotonic, monkeypatch, slow
):
    """On a slow database two would take it from each other, and neither get past its chores."""
    a.lead()
    leader = a.scheduler.loop.leader
    part, name = (
        (leader.reconciler, "mark_orphans_lost") if slow == "chores" else (leader.queue, "start")
    )
    real = getattr(part, name)

    def outlast(*args):
        monotonic.forward(conf().LEASE_TTL + 1)
        database_clock.move(conf().LEASE_TTL + 1)
        return real(*args)

    monkeypatch.setattr(part, name, outlast)
    leader._chores_at = 0.0 if slow == "chores" else float("inf")
    add(misfire_grace_time=None)
    a.turn()
    monkeypatch.setattr(part, name, real)
    b.turn()
    assert not b.leads
    a.turn_until(lambda: runs(status=Status.SUCCEEDED))
    assert Term.objects.count() == 1


def test_it_may_be_taken_when_the_databases_clock_says_expired(a, b):
    a.lead()
    expire()
    b.lead()
    assert Term.objects.get(term=2).cause == Cause.EXPIRED


def test_it_may_be_taken_when_it_stayed_unchanged_though_the_database_clock_was_set_back(
    a, b, monotonic
):
    a.lead()
    a.vanish()
    Lease.objects.update(expires_at=DbNow() + timedelta(days=1))
    for _ in range(20):
        b.turn()
        assert b.leads == (Term.objects.count() == 2)
        if b.leads:
            break
        monotonic.forward(conf().LEASE_TTL / 4)
    assert Term.objects.get(term=2).cause == Cause.UNCHANGED


def test_it_may_be_taken_at_once_when_this_host_proves_that_the_process_is_gone(a, b):
    a.lead()
    a.vanish()
    Node.objects.filter(id=a.node_id).update(pid_start="1")  # another process has the pid today
    b.turn()
    assert b.leads
    assert Term.objects.get(term=2).cause == Cause.PROCESS_GONE


@pytest.mark.parametrize("other", ["boot_id", "pid_ns", "pid_start"])
def test_another_boot_another_namespace_or_an_unknown_start_prove_nothing(a, b, other):
    a.lead()
    a.vanish()
    values = {"pid": 4_000_000, "pid_start": "1", other: "" if other == "pid_start" else "other"}
    Node.objects.filter(id=a.node_id).update(**values)
    b.turn()
    assert not b.leads


def test_trust_begins_before_the_renewal_is_sent_not_when_it_returns(a, monotonic, monkeypatch):
    a.lead()
    mine = a.lease._mine

    def slow():
        monotonic.forward(conf().LEASE_TTL)  # the database took that long to answer
        return mine()

    monkeypatch.setattr(a.lease, "_mine", slow)
    assert a.do(a.lease.renew)
    assert not a.lease.trusted(1)


def test_trust_ends_a_margin_before_the_lease_does(a, monotonic):
    a.lead()
    a.do(a.lease.renew)
    monotonic.forward(conf().LEASE_TTL - conf().LEASE_MARGIN - 0.5)
    assert a.lease.trusted(1)
    monotonic.forward(0.5)
    assert not a.lease.trusted(1)


def test_a_renewal_that_changes_no_row_demotes_at_once(a):
    a.lead()
    Lease.objects.update(holder=uuid4())
    a.beat()
    assert not a.leads
    assert not a.lease.trusted(1)


def test_a_foreign_project_is_refused_with_what_to_do(a, settings):
    a.lead()
    settings.APSCHEDULER_NAME = "another"
    with pytest.raises(ForeignProject, match="belong to the project 'default'"):
        a.do(a.lease.acquire)


def test_the_clock_of_the_lease_is_the_databases_and_in_utc(a):
    a.lead()
    row = Lease.objects.get()
    left = row.expires_at - db_now("default")
    assert timedelta(0) < left <= timedelta(seconds=conf().LEASE_TTL)


def test_a_claim_and_its_next_run_time_are_one_transaction(a, monkeypatch):
    a.lead()
    add()
    claims = a.scheduler.loop.leader.claims
    for way in ("all", "one_by_one"):
        monkeypatch.setattr(claims, way, _then_stumble(getattr(claims, way)))
    a.turn()
    a.turn()
    assert Execution.objects.count() == 0
    assert seen() == ["job"]
    monkeypatch.undo()
    a.turn_until(lambda: runs(status="succeeded"))
    assert (len(runs()), seen()) == (1, [])


def _then_stumble(claim: Callable[..., Any]) -> Callable[..., Any]:
    def stumbling(*args: Any) -> None:
        claim(*args)
        raise ArithmeticError("between claim and commit")

    return stumbling
