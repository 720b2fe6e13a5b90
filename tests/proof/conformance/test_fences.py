"""Frozen, silent and gone processes: who may start a body, who is judged dead, who may write."""

from __future__ import annotations

from datetime import timedelta
from threading import Event
from uuid import uuid4

import pytest
from django.db import DatabaseError, InterfaceError, connections, transaction
from scheduler.conf import conf
from scheduler.db.clock import DbNow
from scheduler.engine.maintenance.reconcile import Reconciler
from scheduler.models import Execution, Lease, Node
from scheduler.models.execution import Status

from . import bodies
from .jobs import add, every_second, runs, second
from .test_lease import expire

TTL = conf().LEASE_TTL


def pass_time(monotonic, peer, seconds: float) -> None:
    """Time in which ``peer`` lives on, and everybody else stands still."""
    for _ in range(int(seconds / 1.5) + 1):
        monotonic.forward(1.5)
        peer.turn()


def running(peer, func=bodies.wait, **options):
    """Have ``peer`` run a body that waits at the gate."""
    add(func, id="held", **options)
    peer.turn_until(lambda: bodies.calls)
    return runs(job_id="held")[0]


def test_a_leader_that_freezes_between_the_commit_and_the_body_starts_nothing(a, b, monotonic):
    a.lead()
    dispatcher = a.scheduler.loop.dispatcher
    submit = dispatcher.submit

    def freeze(rows) -> None:
        if rows:
            monotonic.forward(TTL)
        submit(rows)

    dispatcher.submit = freeze
    add()
    a.turn()
    dispatcher.submit = submit
    expire()
    b.lead()
    a.turn_until(lambda: not dispatcher.in_flight)
    b.turn_until(lambda: runs(status=Status.SUCCEEDED))
    assert len(bodies.calls) == 1
    assert [row.node_id for row in runs()] == [b.node_id]


def test_a_body_of_a_lost_term_is_not_called_when_its_process_leads_again(a, b, monkeypatch):
    """Its thread got no time while the process lost the lease, and won it back."""
    a.lead()
    executor, waiting = a.scheduler.loop.dispatcher.executors["default"], []
    monkeypatch.setattr(executor, "_put", waiting.append)
    monkeypatch.setattr(executor, "take_back", lambda before: 0)  # the thread is about to begin it
    add(on_lost="retry", max_retries=1)
    a.turn()
    Node.objects.filter(id=a.node_id).update(role="stopped")  # b takes it for dead
    expire()
    b.lead()
    b.turn_until(lambda: runs(status=Status.SUCCEEDED))
    expire()
    a.turn_until(lambda: a.lease.held and a.lease.term == 3)
    (work,) = waiting
    a.do(work)
    assert [(row.attempt, row.status) for row in runs()] == [(1, "lost"), (2, "succeeded")]
    assert len(bodies.calls) == 1


def test_a_leader_that_freezes_inside_its_transaction_is_thrown_out_by_the_server(
    a, b, settings, vendor
):
    if vendor == "sqlite":
        pytest.skip("SQLite has no server that could end a frozen session; its file stays locked")
    for peer in (a, b):
        peer.do(connections.close_all)
    settings.APSCHEDULER_LEASE_TTL = 3.0
    settings.APSCHEDULER_LEASE_RENEW = settings.APSCHEDULER_LEASE_MARGIN = 1.0
    a.lead()
    b.register()
    held, go = Event(), Event()

    def freeze() -> None:
        with transaction.atomic():
            a.lease.hold()
            held.set()
            assert go.wait(30)
            Execution.objects.count()

    frozen = a.begin(freeze)
    assert held.wait(30)
    b.turn_until(lambda: b.leads)
    go.set()
    with pytest.raises((DatabaseError, InterfaceError)):
        frozen.result(120)
    a.turn_until(lambda: a.scheduler.loop.outage.since is None)
    assert not a.leads


def test_runs_of_a_process_that_is_silent_for_its_ttl_are_lost(a, b, monotonic):
    a.lead()
    running(a)
    a.vanish()
    expire()
    b.lead()
    pass_time(monotonic, b, TTL + 3)
    (row,) = runs(job_id="held")
    assert row.status == Status.LOST
    assert "no heartbeat for 6 s" in row.reason


def test_a_pause_of_the_judge_is_no_silence_of_the_others(a, b, monotonic):
    """The machine slept, or the database stood still: both wake, and the judge is first."""
    a.lead()
    row = running(a)
    expire()
    b.lead()
    monotonic.forward(10 * TTL)
    b.turn()
    b.turn()
    assert runs(id=row.id)[0].status == Status.RUNNING
    bodies.gate.set()
    a.turn_until(lambda: runs(id=row.id, status=Status.SUCCEEDED))


def test_a_database_clock_set_forward_by_days_makes_nobody_unknown(a, b, database_clock, monotonic):
    a.lead()
    row = running(a)
    expire()
    b.lead()
    database_clock.move(3 * 86400)
    monotonic.forward(100)  # the quarantine round, which forgets old nodes, is due
    b.turn()
    b.beat()
    monotonic.forward(2)
    b.turn()
    assert Node.objects.filter(id=a.node_id).exists()
    assert runs(id=row.id)[0].status == Status.RUNNING


def test_runs_of_a_process_that_is_proven_gone_are_lost_at_once(a, b):
    a.lead()
    running(a)
    a.vanish()
    Node.objects.filter(id=a.node_id).update(pid_start="1")
    b.turn()
    (row,) = runs(job_id="held")
    assert (row.status, row.reason.endswith("is gone")) == (Status.LOST, True)


@pytest.mark.parametrize("on_lost", ["fail", "retry"])
def test_what_was_running_is_lost_and_follows_on_lost(a, b, on_lost):
    a.lead()
    add(bodies.wait, id="held", on_lost=on_lost, max_retries=2)
    a.turn_until(lambda: bodies.calls)
    a.vanish()
    bodies.gate.set()
    Node.objects.filter(id=a.node_id).delete()
    expire()
    b.lead()
    b.turn_until(lambda: not Execution.objects.filter(status__in=["queued", "running"]).exists())
    statuses = [(row.attempt, row.status) for row in runs(job_id="held")]
    again = [(2, Status.SUCCEEDED)] if on_lost == "retry" else []
    assert statuses == [(1, Status.LOST), *again]
    assert len(bodies.calls) == len(statuses)


def test_a_run_that_somebody_asked_to_cancel_is_not_tried_again_when_it_is_lost(a, b):
    a.lead()
    add(bodies.wait, id="held", on_lost="retry", max_retries=2)
    a.turn_until(lambda: bodies.calls)
    a.vanish()
    Execution.objects.filter(job_id="held").update(cancel_requested_at=DbNow())
    Node.objects.filter(id=a.node_id).delete()
    expire()
    b.lead()
    b.turn_until(lambda: not _open())
    assert [(row.attempt, row.status) for row in runs(job_id="held")] == [(1, Status.LOST)]


def test_a_dead_process_is_judged_once_however_much_it_was_running(a, b, monkeypatch):
    a.lead()
    for id in ("one", "two"):
        add(bodies.wait, id=id)
    a.turn_until(lambda: len(bodies.calls) == 2)
    a.vanish()
    Node.objects.filter(id=a.node_id).delete()
    expire()
    judged, lose = [], Reconciler._lose

    def counted(self, node_id, why, now):
        judged.append(node_id)
        return lose(self, node_id, why, now)

    monkeypatch.setattr(Reconciler, "_lose", counted)
    b.lead()
    b.turn_until(lambda: not _open())
    assert judged == [a.node_id]


def test_losing_again_and_again_ends_with_max_retries(a, peer):
    a.lead()
    add(bodies.wait, id="held", on_lost="retry", max_retries=1)
    a.turn_until(lambda: bodies.calls)
    for number, name in enumerate(["b", "c"], start=2):
        runner = Lease.objects.get().holder
        Node.objects.filter(id=runner).update(role="stopped")
        expire()
        heir = peer(name)
        heir.lead()
        heir.turn_until(lambda number=number: len(bodies.calls) == number or not _open())
    assert [(row.attempt, row.status) for row in runs(job_id="held")] == [(1, "lost"), (2, "lost")]
    assert len(bodies.calls) == 2


def _open() -> bool:
    return Execution.objects.filter(status__in=["queued", "running"]).exists()


def test_what_was_queued_with_a_dead_leader_is_run_by_the_next(a, b, monkeypatch):
    a.lead()
    monkeypatch.setattr(a.scheduler.loop.dispatcher, "free", lambda: {"default": 0})
    add()
    a.turn_until(lambda: runs(status=Status.QUEUED))
    a.vanish()
    expire()
    b.lead()
    b.turn_until(lambda: runs(status=Status.SUCCEEDED))
    assert len(bodies.calls) == 1


def test_a_late_finish_of_a_frozen_process_changes_nothing(a, b, monotonic):
    a.lead()
    row = running(a)
    expire()
    b.lead()
    pass_time(monotonic, b, TTL + 3)
    assert runs(id=row.id)[0].status == Status.LOST
    bodies.gate.set()
    a.turn_until(lambda: not a.scheduler.loop.dispatcher.in_flight)
    (late,) = runs(job_id="held")
    assert (late.status, late.return_value) == (Status.LOST, "")


def test_max_instances_is_counted_across_a_takeover(a, b, database_clock):
    start = database_clock.now()
    every_second(second(start, 0), id="held", func=bodies.wait)
    a.turn_until(lambda: bodies.calls)
    Lease.objects.update(expires_at=DbNow() - timedelta(seconds=1))
    b.lead()
    a.beat()  # it lives: no slot waits for a judgement
    b.scheduler.loop.leader._chores_at = 0.0
    database_clock.move(1)
    b.turn()
    first, skipped = runs(job_id="held")
    assert (first.status, skipped.status) == (Status.RUNNING, Status.SKIPPED)
    assert "max_instances" in skipped.reason
    bodies.gate.set()
    a.turn_until(lambda: runs(id=first.id, status=Status.SUCCEEDED))
    database_clock.move(1)
    b.turn_until(lambda: len(runs(job_id="held", status=Status.SUCCEEDED)) == 2)


def test_a_commit_that_happens_after_its_connection_broke_leaves_no_run_behind(a, monotonic):
    """The reply never came, the process settled what it saw, and only then the commit happened."""
    a.lead()
    add()
    a.turn_until(lambda: runs(status=Status.SUCCEEDED))
    ghost = Execution.objects.create(
        job_id="ghost", job_uid=uuid4(), func="tests.proof.conformance.bodies:note", due_at=DbNow(),
        queued_at=DbNow(), status=Status.RUNNING, node_id=a.node_id, term=1, started_at=DbNow(),
    )  # fmt: skip
    monotonic.forward(conf().LEASE_RENEW)
    a.turn_until(lambda: runs(id=ghost.id, status=Status.SUCCEEDED))
    assert [call[0] for call in bodies.calls] == ["job", "ghost"]
