"""The leader publishes what is due for workers: how much, again when, and never in its own way."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.test import override_settings
from scheduler import scheduler
from scheduler.engine.ledger import publications
from scheduler.models import Execution, Job, Node
from scheduler.models.execution import Status
from scheduler.monitoring import health

from tests.proof.conformance import bodies
from tests.proof.conformance.breakage import lost_reply
from tests.proof.conformance.jobs import add, every_second, runs
from tests.proof.conformance.test_lease import expire

pytestmark = pytest.mark.django_db(transaction=True)


def chores(peer) -> None:
    """A turn of the leader with all that is due from time to time."""
    leader = peer.scheduler.loop.leader
    leader._chores_at = leader._quarantine_at = leader.publications._look_at = 0.0
    peer.turn()


def published(leader, mailbox, count: int = 1, **options):
    """Jobs that are due now, whose messages are sent."""
    for number in range(count):
        add(id=f"job-{number}", executor="workers", **options)
    leader.turn_until(lambda: Execution.objects.unclaimed().count() == count)
    mailbox.wait(count)
    return runs()


def test_a_run_for_workers_is_published_and_stays_queued(leader, mailbox):
    (row,) = published(leader, mailbox)
    assert (row.status, row.publication, row.started_at, row.node_id) == ("queued", 1, None, None)
    assert row.published_at is not None
    assert mailbox.messages == [(row.pk, 1)]


def test_what_is_published_is_no_reason_for_another_turn(leader, mailbox):
    published(leader, mailbox)
    leader.turn()
    seen = leader.do(lambda: leader.scheduler.loop.leader.poller.poll(("default", "workers")))
    assert seen.queued == {"default": None, "workers": None}


def test_max_instances_counts_published_runs_and_those_that_workers_run(
    leader, mailbox, worker, database_clock
):
    at = database_clock.now()
    every_second(at, func=bodies.wait, executor="workers", max_instances=2)
    leader.turn_until(lambda: Execution.objects.unclaimed().count() == 1)
    thread = threading.Thread(target=worker().execute, args=mailbox.wait()[0])
    thread.start()
    leader.turn_until(lambda: runs(status=Status.RUNNING))
    for number in range(1, 4):
        now = database_clock.set(at + timedelta(seconds=number))
        leader.turn_until(lambda now=now: Job.objects.get().next_run_time > now)
        chores(leader)
    assert [row.status for row in runs()] == ["running", "queued", "skipped", "skipped"]
    assert Execution.objects.unclaimed().count() == 1
    bodies.gate.set()
    thread.join()


def test_of_two_runs_that_were_asked_for_one_is_published_and_the_other_when_it_ended(
    leader, mailbox, worker
):
    add(executor="workers", trigger="cron", year=9999)
    for _ in range(2):
        scheduler.run_now("job")
    leader.turn_until(lambda: mailbox.messages)
    chores(leader)
    assert Execution.objects.unclaimed().count() == 1, "max_instances is 1"
    worker().execute(*mailbox.messages[0])
    leader.turn_until(lambda: len(mailbox.messages) == 2)


def test_a_job_that_runs_on_a_worker_does_not_hold_back_its_next_run_once_it_ended(
    leader, mailbox, worker
):
    """Nobody tells the leader of that end: it counts anew whenever it starts or publishes."""
    (row,) = published(leader, mailbox)
    worker().execute(row.pk, 1)
    add(id="job-0", executor="workers", replace_existing=True)
    leader.turn()
    assert Execution.objects.unclaimed().count() == 1


def test_no_more_is_published_than_may_be_unclaimed_and_the_rest_follows(
    leader, mailbox, worker, monkeypatch
):
    monkeypatch.setattr(publications, "MAX_UNCLAIMED", 3)
    monkeypatch.setattr("scheduler.engine.dispatcher.MAX_UNCLAIMED", 3)
    for number in range(5):
        add(id=f"job-{number}", executor="workers")
    leader.turn_until(lambda: Execution.objects.count() == 5)
    chores(leader)
    assert Execution.objects.unclaimed().count() == 3
    at_work = worker()
    for message in mailbox.wait(3):
        at_work.execute(*message)
    leader.turn_until(lambda: Execution.objects.unclaimed().count() == 2)


def test_local_jobs_go_on_while_the_workers_have_no_room(leader, mailbox, monkeypatch):
    monkeypatch.setattr("scheduler.engine.dispatcher.MAX_UNCLAIMED", 1)
    published(leader, mailbox)
    add(id="waits", executor="workers")
    add(id="local")
    leader.turn_until(lambda: runs(job_id="local", status=Status.SUCCEEDED))
    assert runs(job_id="waits")[0].published_at is None


def test_what_nobody_claims_is_published_again_after_a_minute_and_then_less_and_less(
    leader, mailbox, monkeypatch, database_clock
):
    database_clock.now()
    published(leader, mailbox)
    monkeypatch.setattr(publications, "monotonic", lambda: float(age))
    dispatcher, repeated, ages = leader.scheduler.loop.dispatcher, [], []
    dispatcher.publish = repeated.extend
    for age in range(10, 2000, 10):
        database_clock.move(10)
        chores(leader)
        ages += [age] * (len(repeated) - len(ages))
    assert ages == [60, 120, 240, 480, 960, 1560], "doubled up to ten minutes"
    assert {run.publication for run in repeated} == {1}, "both messages may claim"


def test_what_was_published_a_moment_ago_is_not_published_again(leader, mailbox):
    published(leader, mailbox)
    chores(leader)
    chores(leader)
    assert len(mailbox.messages) == 1


def test_a_new_leader_repeats_what_the_last_one_published(leader, mailbox, b):
    (row,) = published(leader, mailbox)
    leader.vanish()
    expire()
    b.lead()
    chores(b)
    assert mailbox.wait(2) == [(row.pk, 1)] * 2


def test_a_publication_whose_commit_was_never_answered_is_sent_after_the_outage(leader, mailbox):
    """Not after a minute, as what the publisher had in its hands and the broker lost."""
    leader.turn()
    loop = leader.scheduler.loop
    loop.leader._chores_at = loop._beat_at = float("inf")  # so that the next commit is the claim's
    add(executor="workers")
    with lost_reply(leader):
        leader.turn_until(lambda: Execution.objects.unclaimed().exists())
    assert not mailbox.messages
    leader.turn()
    chores(leader)
    (row,) = runs()
    assert mailbox.wait() == [(row.pk, 1)]


def test_an_outage_of_the_database_repeats_nothing_that_was_handed_over(leader, mailbox):
    """A broker that lost nothing would be flooded, by each outage with all that waits there."""
    published(leader, mailbox, count=3)
    loop = leader.scheduler.loop
    add(id="unheard", executor="workers")
    loop.leader._chores_at = loop._beat_at = float("inf")  # so that the next commit is the claim's
    with lost_reply(leader):
        leader.turn_until(lambda: Execution.objects.unclaimed().count() == 4)
    leader.turn()
    chores(leader)
    (unheard,) = runs(job_id="unheard")
    assert mailbox.wait(4)[3:] == [(unheard.pk, 1)]
    repeated = []
    loop.dispatcher.publish = repeated.extend
    leader.do(loop._recover)
    chores(leader)
    assert repeated == []


def test_runs_of_an_executor_that_is_no_longer_remote_are_taken_back_and_run_here(
    leader, mailbox, worker
):
    (row,) = published(leader, mailbox)
    executors = leader.scheduler.loop.dispatcher.executors
    executors["workers"] = executors["default"]
    chores(leader)
    leader.turn_until(lambda: runs(status=Status.SUCCEEDED))
    worker().execute(row.pk, 1)
    assert len(bodies.calls) == 1, "the old message claims nothing"


def test_a_broker_that_is_silent_delays_no_turn_and_no_other_job(leader, mailbox):
    mailbox.silent.clear()
    add(executor="workers")
    leader.turn_until(lambda: Execution.objects.unclaimed().exists())
    add(id="local")
    leader.turn_until(lambda: runs(job_id="local", status=Status.SUCCEEDED))
    mailbox.silent.set()
    mailbox.wait()


def test_a_broker_that_refuses_is_tried_less_and_less_and_then_gets_every_message(
    leader, mailbox, monotonic
):
    mailbox.refuses = True
    for number in range(3):
        add(id=f"job-{number}", executor="workers")
    leader.turn_until(lambda: Execution.objects.unclaimed().count() == 3)
    executor = leader.scheduler.loop.dispatcher.executors["workers"]
    pauses = []
    for attempt in range(1, 8):
        mailbox.wait_for_attempts(attempt)
        with executor._changed:
            pauses.append(executor._pause)
            monotonic.forward(executor._pause)
            executor._changed.notify()
    assert pauses == [1, 2, 4, 8, 16, 30, 30] or sorted(pauses) == pauses
    assert max(pauses) <= 30
    mailbox.refuses = False
    monotonic.forward(30)
    with executor._changed:
        executor._changed.notify()
    assert {id for id, _ in mailbox.wait(3)} == {row.pk for row in runs()}


def test_a_broker_that_is_back_gets_all_that_is_unclaimed_again(leader, mailbox, monotonic):
    """It may have lost what it had, and nobody should wait a minute for that."""
    (early,) = published(leader, mailbox)
    mailbox.refuses = True
    add(id="late", executor="workers")
    leader.turn_until(lambda: leader.scheduler.loop.dispatcher.publish_error)
    executor = leader.scheduler.loop.dispatcher.executors["workers"]
    mailbox.refuses = False
    with executor._changed:
        monotonic.forward(30)
        executor._changed.notify()
    mailbox.wait(2)
    leader.turn_until(lambda: not executor.error)
    chores(leader)
    assert mailbox.wait(4).count((early.pk, 1)) == 2
    repeated = []
    leader.scheduler.loop.dispatcher.publish = repeated.extend
    chores(leader)
    assert repeated == [], "once for each time"


def test_health_names_a_broker_that_refuses_without_its_address(leader, mailbox):
    mailbox.refuses = True
    add(executor="workers")
    leader.turn_until(lambda: leader.scheduler.loop.dispatcher.publish_error)
    leader.beat()
    found = health.read()
    assert found.status == "degraded"
    assert found.warnings == (
        "runs cannot be published to the workers: ConnectionRefusedError, see the leader's log",
    )
    assert Node.objects.get().publish_error == "ConnectionRefusedError: no broker at host:6379"
    mailbox.refuses = False


def test_health_asks_for_a_worker_when_none_is_alive_and_turns_red_when_runs_are_late(
    leader, mailbox, database_clock
):
    database_clock.now()
    published(leader, mailbox)
    database_clock.move(6)
    leader.beat()
    found = health.read()
    assert (found.published, found.oldest_published) == (1, 6.0)
    assert found.warnings == (
        "1 run(s) wait for a worker, and none is alive: start one, as APSCHEDULER_WORKERS needs it",
    )
    database_clock.move(60)
    leader.beat()
    assert "the oldest due run is" in health.read().reason


def test_a_stopping_leader_does_not_wait_for_what_workers_run(leader, mailbox, worker):
    (row,) = published(leader, mailbox, func=bodies.wait)
    thread = threading.Thread(target=worker().execute, args=(row.pk, 1))
    thread.start()
    leader.turn_until(lambda: bodies.calls)
    leader.do(lambda: leader.scheduler.loop.drain(lambda: 60.0))
    bodies.gate.set()
    thread.join()
    row.refresh_from_db()
    assert row.status == Status.SUCCEEDED


@override_settings(APSCHEDULER_WORKERS="")
def test_without_workers_their_jobs_run_in_processes_of_the_scheduler(a):
    from scheduler.engine.executors.processes import ProcessExecutor

    executors = a.scheduler.loop.dispatcher.executors
    assert isinstance(executors["workers"], ProcessExecutor)
