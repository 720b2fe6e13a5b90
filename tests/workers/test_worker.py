"""A worker claims what a message names, once; runs it; and writes how it ended."""

from __future__ import annotations

import threading

import pytest
from django.db import connection
from scheduler.conf import conf
from scheduler.db.clock import DbNow
from scheduler.engine.ledger.claiming import claim
from scheduler.models import Execution, Node
from scheduler.models.execution import Status
from scheduler.models.node import Role
from scheduler.monitoring import cluster, health
from scheduler.schedulers import pause
from scheduler.schedulers.runs import cancel
from scheduler.workers import worker as worker_module

from tests.proof.conformance import bodies
from tests.proof.conformance.jobs import add, runs
from tests.workers.test_publishing import chores, published


def at_work(worker, row) -> threading.Thread:
    """A worker in the middle of the run's body."""
    thread = threading.Thread(target=worker.execute, args=(row.pk, row.publication))
    thread.start()
    return thread


def test_a_worker_runs_what_the_message_names_and_writes_its_outcome(leader, mailbox, worker):
    (row,) = published(leader, mailbox)
    one = worker()
    one.execute(row.pk, 1)
    row.refresh_from_db()
    assert (row.status, row.return_value, row.node_id) == ("succeeded", '"noted"', one.node.id)
    assert row.published_at <= row.started_at <= row.finished_at


def test_of_one_message_delivered_to_two_workers_at_once_one_runs(leader, mailbox, worker):
    rows = published(leader, mailbox, 20)
    two = [worker(), worker()]
    threads = [
        threading.Thread(target=lambda one=one: [one.execute(row.pk, 1) for row in rows])
        for one in two
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [row.status for row in runs()] == ["succeeded"] * 20
    assert len(bodies.calls) == 20


def test_a_message_of_an_older_publication_claims_nothing(leader, mailbox, worker):
    (row,) = published(leader, mailbox)
    Execution.objects.update(published_at=None)  # taken back
    worker().execute(row.pk, 1)
    assert runs()[0].status == "queued"
    leader.turn_until(lambda: runs()[0].publication == 2)
    worker().execute(row.pk, 1)
    assert not bodies.calls
    worker().execute(row.pk, 2)
    assert len(bodies.calls) == 1


def test_a_message_of_a_cancelled_run_finds_nothing(leader, mailbox, worker):
    (row,) = published(leader, mailbox)
    cancel(row.pk, "default")
    worker().execute(row.pk, 1)
    assert (runs()[0].status, bodies.calls) == ("cancelled", [])


def test_while_the_cluster_is_paused_no_worker_claims_and_afterwards_one_does(
    leader, mailbox, worker
):
    (row,) = published(leader, mailbox)
    pause.pause("default")
    one = worker()
    one.execute(row.pk, 1)
    row.refresh_from_db()
    assert (row.status, row.published_at, bodies.calls) == ("queued", None, [])
    pause.resume("default")
    assert leader.turn_until(lambda: len(mailbox.messages) > 1) is True
    one.execute(*mailbox.messages[-1])
    assert len(bodies.calls) == 1


def test_an_operator_who_resumes_while_a_worker_is_refused_leaves_no_run_waiting_for_a_message(
    leader, mailbox, worker, monkeypatch
):
    """Its only message was spent on the claim that the pause refused."""
    (row,) = published(leader, mailbox)
    pause.pause("default")
    one = worker()

    def resume_after_the_refusal(execute, sql, params, many, context):
        answer = execute(sql, params, many, context)
        if sql.startswith("UPDATE") and "started_at" in sql:
            pause.resume("default")
        return answer

    with connection.execute_wrapper(resume_after_the_refusal):
        assert claim("default", one.node.id, row.pk, 1) is None
    assert runs()[0].published_at is None, "for a minute nobody would publish it again"
    leader.turn_until(lambda: len(mailbox.messages) > 1)
    one.execute(*mailbox.messages[-1])
    assert len(bodies.calls) == 1


def test_a_run_that_fails_on_a_worker_is_retried_on_the_workers(leader, mailbox, worker):
    add(bodies.boom, executor="workers", max_retries=1)
    one = worker()
    leader.turn_until(lambda: mailbox.messages)
    one.execute(*mailbox.messages[0])
    leader.turn_until(lambda: len(mailbox.messages) == 2)
    one.execute(*mailbox.messages[1])
    assert [(row.attempt, row.status, row.publication) for row in runs()] == [
        (1, "failed", 1), (2, "failed", 1)
    ]  # fmt: skip


def test_the_runs_of_a_worker_that_is_gone_are_lost_and_follow_on_lost(leader, mailbox, worker):
    (row,) = published(leader, mailbox, func=bodies.wait, on_lost="retry", max_retries=1)
    one = worker()
    thread = at_work(one, row)
    leader.turn_until(lambda: bodies.calls)
    Node.objects.filter(id=one.node.id).update(pid=4_000_000)  # as if it had ended
    chores(leader)
    lost = runs(status=Status.LOST)[0]
    assert lost.reason.startswith("its worker ")
    assert lost.reason.endswith(" is gone")
    leader.turn_until(lambda: len(mailbox.messages) == 2)
    bodies.gate.set()
    thread.join()
    assert runs()[0].status == "lost", "its late outcome changes nothing"


def test_a_worker_that_is_alive_is_no_scheduler_that_could_take_over(leader, mailbox, worker):
    worker().execute(0, 0)
    leader.do(lambda: leader.scheduler.loop.drain(lambda: 0.0))
    found = health.read()
    assert "no scheduler is running" in found.reason
    assert (len(found.cluster.alive), len(found.cluster.worker_processes)) == (0, 1)
    assert found.as_dict()["workers"] == 1


def test_a_worker_that_stops_has_stopped_and_says_that_it_was_a_worker(worker):
    one = worker()
    one.execute(0, 0)
    (process,) = cluster.read("default").worker_processes
    assert (process.role, process.node.ttl) == ("worker", conf().WORKER_TTL)
    one.stop()
    node = Node.objects.get()
    assert (node.role, node.is_worker) == (Role.STOPPED, True)


def test_a_request_to_cancel_reaches_a_body_in_a_thread_of_a_worker(leader, mailbox, worker):
    (row,) = published(leader, mailbox, func=bodies.boom_later)
    one = worker()
    thread = at_work(one, row)
    leader.turn_until(lambda: bodies.calls)
    cancel(row.pk, "default")
    run = one.dispatcher.in_flight[row.pk]
    leader.turn_until(lambda: run.cancel_requested)
    bodies.gate.set()
    thread.join()
    assert runs()[0].status == "cancelled"


def test_a_function_that_a_worker_does_not_know_is_tried_elsewhere_and_then_fails(
    leader, mailbox, worker, monkeypatch, database_clock
):
    database_clock.now()
    add(executor="workers")
    Execution.objects.none()
    leader.turn_until(lambda: mailbox.messages)
    Execution.objects.update(func="tests.proof.conformance.bodies:of_tomorrow")
    one = worker()
    one.execute(*mailbox.messages[0])
    row = runs()[0]
    assert (row.status, row.published_at) == ("queued", None)
    assert (row.due_at - database_clock.now()).total_seconds() == 10
    for tries in (2, 3):
        database_clock.move(10)
        leader.turn_until(lambda tries=tries: len(mailbox.messages) == tries)
        one.execute(*mailbox.messages[-1])
    row = runs()[0]
    assert (row.status, row.publication) == ("failed", 3)
    assert "there is no of_tomorrow" in row.exception


def test_a_worker_that_can_end_no_body_refuses_a_timeout(leader, mailbox, worker):
    (row,) = published(leader, mailbox, timeout=5)
    worker(can_end=False).execute(row.pk, 1)
    row.refresh_from_db()
    assert (row.status, bodies.calls) == ("failed", [])
    assert "--pool prefork" in row.reason


def test_a_worker_that_stood_still_after_the_claim_begins_nothing(
    leader, mailbox, worker, monotonic, monkeypatch
):
    (row,) = published(leader, mailbox)
    one = worker()
    claim = worker_module.claim

    def freeze(*arguments):
        run = claim(*arguments)
        monotonic.forward(30)
        return run

    monkeypatch.setattr(worker_module, "claim", freeze)
    one._end_what_was_judged = lambda: None
    one.execute(row.pk, 1)
    row.refresh_from_db()
    assert (row.status, row.published_at, bodies.calls) == ("queued", None, [])


@pytest.mark.parametrize("on_lost", ["fail", "retry"])
def test_a_worker_that_was_frozen_ends_itself_if_its_run_may_be_repeated(
    leader, mailbox, worker, monkeypatch, on_lost
):
    (row,) = published(leader, mailbox, func=bodies.wait, on_lost=on_lost, max_retries=1)
    one = worker()
    thread = at_work(one, row)
    leader.turn_until(lambda: bodies.calls)
    ended = []
    monkeypatch.setattr(worker_module, "_end_process", lambda: ended.append(1))
    one._trusted_until = 0.0
    one._end_what_was_judged()
    assert bool(ended) == (on_lost == "retry")
    one._trusted_until = float("inf")
    bodies.gate.set()
    thread.join()


def test_an_outcome_is_kept_while_the_database_is_away_and_written_when_it_is_back(
    leader, mailbox, worker, monkeypatch
):
    from django.db import OperationalError

    (row,) = published(leader, mailbox, func=bodies.wait)
    one = worker()
    thread = at_work(one, row)
    leader.turn_until(lambda: bodies.calls)
    finish, failures = one._outcomes.finish, []

    def away(*arguments):
        if len(failures) < 3:
            failures.append(1)
            raise OperationalError("server closed the connection unexpectedly")
        return finish(*arguments)

    monkeypatch.setattr(one._outcomes, "finish", away)
    bodies.gate.set()
    thread.join(60)
    assert (len(failures), runs()[0].status) == (3, "succeeded")


def test_a_claim_whose_reply_was_lost_is_given_back_and_published_anew(
    leader, mailbox, worker, monkeypatch
):
    from django.db import OperationalError

    (row,) = published(leader, mailbox)
    one, claim, failures = worker(), worker_module.claim, []

    def unheard(*arguments):
        run = claim(*arguments)
        if not failures:
            failures.append(1)
            raise OperationalError("server closed the connection unexpectedly")
        return run

    monkeypatch.setattr(worker_module, "claim", unheard)
    one.execute(row.pk, 1)
    one._beat_at = 0.0
    one._wakeup.nudge()
    leader.turn_until(lambda: len(mailbox.messages) == 2)
    one.execute(*mailbox.messages[1])
    assert (len(bodies.calls), runs()[0].status) == (1, "succeeded")


def test_what_a_run_prints_on_a_worker_is_in_its_row_while_it_runs(leader, mailbox, worker):
    (row,) = published(leader, mailbox, func=bodies.talk_and_wait)
    one = worker()
    one._live_log._write_at = 0.0
    thread = at_work(one, row)
    leader.turn_until(lambda: runs()[0].log == "on its way\n")
    assert runs()[0].status == "running"
    bodies.gate.set()
    thread.join()


def test_the_database_clock_says_when_a_run_on_a_worker_began(leader, mailbox, worker):
    (row,) = published(leader, mailbox)
    DbNow.frozen = row.published_at
    try:
        worker().execute(row.pk, 1)
    finally:
        DbNow.frozen = None
    assert abs((runs()[0].started_at - row.published_at).total_seconds()) < 60


@pytest.mark.parametrize("can_end", [True, False])
def test_a_worker_that_ends_its_bodies_finds_their_daemons(worker, monkeypatch, can_end):
    adopted = []
    monkeypatch.setattr(worker_module, "adopt_orphans", lambda: adopted.append(True))
    worker(can_end=can_end)
    assert adopted == [True] * can_end
