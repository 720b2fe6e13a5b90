"""What one turn claims and starts: copied inside the database, in the order of the queue."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from apscheduler.triggers.interval import IntervalTrigger
from django.db import connection, transaction
from scheduler import triggers
from scheduler.engine.executors.runner import Result
from scheduler.engine.leadership.lease import LeaseHolder
from scheduler.engine.leadership.node import Self
from scheduler.engine.ledger import claims
from scheduler.engine.ledger.capacity import Capacity
from scheduler.engine.ledger.claims import Claims
from scheduler.engine.ledger.enqueue import can_return
from scheduler.engine.ledger.outcomes import Outcomes
from scheduler.engine.ledger.queue import Queue
from scheduler.engine.ledger.slots import ClaimResult
from scheduler.models import Execution, Job
from scheduler.models.execution import Status
from scheduler.models.node import Role

pytestmark = pytest.mark.django_db(transaction=True)

HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True, params=["RETURNING", "none"])
def _rows_that_are_returned(request, monkeypatch) -> None:
    """By all databases here, and by none of them, as with MySQL."""
    features = connection.features
    if request.param == "none":
        monkeypatch.setattr(type(features), "can_return_rows_from_bulk_insert", False)
    elif not features.can_return_rows_from_bulk_insert:
        pytest.skip("this database does not return the rows that it inserted")


@pytest.fixture
def lease() -> Iterator[LeaseHolder]:
    node = Self("default")
    node.beat(Role.STANDBY, "poll", "")
    lease = LeaseHolder(node)
    assert lease.acquire()
    yield lease
    lease.release()


@pytest.fixture
def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def running(lease: LeaseHolder, now: datetime) -> dict[str, Any]:
    """What the row of a run that was started says of that."""
    return {"node_id": lease.node.id, "term": lease.term, "started_at": now}


def due(id: str, since: datetime, **columns: Any) -> Job:
    trigger = triggers.dumps(IntervalTrigger(hours=1, start_date=since))
    return Job.objects.create(
        id=id,
        name=f"name of {id}",
        func="tests.bodies:noop",
        trigger=trigger,
        planned_trigger=trigger,
        next_run_time=since,
        **columns,
    )


def claim(lease: LeaseHolder, now: datetime, capacity: Capacity | None = None) -> ClaimResult:
    part = Claims(lease)
    with transaction.atomic():
        lease.hold()
        return part.all(now, ["default", "processes"], capacity)


def start(lease: LeaseHolder, now: datetime, capacity: Capacity) -> list[str]:
    with transaction.atomic():
        lease.hold()
        return [run.job_id for run in Queue(lease).start(now, capacity, capacity.executors)]


def statuses() -> dict[str, str]:
    return dict(Execution.objects.values_list("job_id", "status"))


def test_every_policy_of_a_job_is_copied_into_its_run(lease, now):
    policies = {
        "args": "[1]",
        "kwargs": '{"a":1}',
        "executor": "processes",
        "max_instances": 3,
        "timeout": 9.5,
        "warn_after": 3.5,
        "max_retries": 2,
        "retry_delay": 1.5,
        "on_lost": "retry",
        "sensitive": '["a"]',
    }
    job = due("one", now, **policies)
    claim(lease, now)
    row = Execution.objects.values().get()
    assert {name: row[name] for name in policies} == policies
    assert (row["job_id"], row["job_uid"], row["job_name"]) == ("one", job.uid, "name of one")
    assert (row["scheduled_run_time"], row["due_at"], row["queued_at"]) == (now, now, now)
    assert (row["func"], row["attempt"], row["slots"]) == ("tests.bodies:noop", 1, 1)
    assert (row["kind"], row["status"], row["return_value"]) == ("schedule", "queued", "")
    assert Job.objects.get().next_run_time == now + HOUR


def test_a_row_copied_in_the_database_equals_one_built_from_the_job(lease, now):
    """A single slot takes one way, the newest of several the other."""
    due("single", now - HOUR)
    due("several", now - 2 * HOUR, coalesce=False)
    claim(lease, now - HOUR / 2)
    rows = {row["job_id"]: row for row in Execution.objects.order_by("id").values()}
    for row in rows.values():
        for name in ("id", "job_id", "job_uid", "job_name"):
            del row[name]
    assert rows["single"] == rows["several"]


def test_what_there_is_room_for_runs_with_its_claim(lease, now, running):
    for id in ("a", "b", "c"):
        due(id, now)
    claimed = claim(lease, now, Capacity({"default": 2}, {}))
    if not can_return("default"):
        assert claimed.queued == 3
        return
    assert (claimed.due, claimed.queued) == (3, 1)
    assert statuses() == {"a": "running", "b": "running", "c": "queued"}
    for run in claimed.started:
        row = Execution.objects.values().get(id=run.id)
        assert row["job_id"] == run.job_id
        assert row == row | running
        known = (run.func, run.job_uid, run.scheduled_run_time, run.term, run.started_at)
        assert known == (row["func"], row["job_uid"], now, lease.term, now)


def test_a_slot_that_does_not_run_says_why_and_takes_no_room(lease, now):
    due("late", now - timedelta(minutes=5), misfire_grace_time=60)
    due("early", now)
    claimed = claim(lease, now, Capacity({"default": 1}, {}))
    assert [row.job_id for row in claimed.unrun] == ["late"]
    assert [row.pk for row in claimed.unrun] == [Execution.objects.get(job_id="late").pk]
    assert statuses()["late"] == Status.MISSED
    if can_return("default"):
        assert [run.job_id for run in claimed.started] == ["early"]


def test_the_longest_due_are_started_first(lease, now, running):
    for minutes in (1, 3, 2):
        due(f"since-{minutes}", now - timedelta(minutes=minutes))
    claim(lease, now)
    assert start(lease, now, Capacity({"default": 2}, {})) == ["since-3", "since-2"]
    assert statuses() == {"since-1": "queued", "since-2": "running", "since-3": "running"}
    row = Execution.objects.values().get(job_id="since-3")
    assert row == row | running


def test_a_job_whose_instances_all_run_blocks_nobody_behind_it(lease, now):
    """Twenty of its runs come first in the queue, more than there is room for."""
    busy = due("busy", now - 20 * HOUR, coalesce=False)
    due("behind", now)
    claim(lease, now)
    capacity = Capacity({"default": 4}, {busy.uid: 1})
    assert start(lease, now, capacity) == ["behind"]


def test_several_instances_are_different_rows(lease, now):
    due("many", now - 5 * HOUR, coalesce=False, max_instances=3)
    claim(lease, now)
    with transaction.atomic():
        lease.hold()
        runs = Queue(lease).start(now, Capacity({"default": 10}, {}), ["default"])
    assert len({run.id for run in runs}) == len(runs) == 3
    assert Execution.objects.filter(status=Status.RUNNING).count() == 3


def test_a_full_executor_leaves_the_others_theirs(lease, now):
    due("a", now - HOUR / 2)
    due("b", now, executor="processes")
    claim(lease, now)
    assert start(lease, now, Capacity({"default": 0, "processes": 1}, {})) == ["b"]


def test_a_retry_carries_the_policies_on(lease, now):
    due("a", now, max_retries=1, retry_delay=60.0, timeout=5.0)
    claim(lease, now)
    queue, outcomes = Queue(lease), Outcomes(lease.using, lease.node.id)
    with transaction.atomic():
        lease.hold()
        (run,) = queue.start(now, Capacity({"default": 1}, {}), ["default"])
    failed = Result(run.id, Status.FAILED, now, now, exception="no")
    assert outcomes.finish([failed], {run.id: run}) == {run.id}
    retry = Execution.objects.get(attempt=2)
    assert (retry.status, retry.kind, retry.timeout) == (Status.QUEUED, "retry", 5.0)
    assert (retry.scheduled_run_time, retry.due_at) == (now, now + timedelta(minutes=1))
    assert outcomes.finish([failed], {run.id: run}) == {run.id}
    assert Execution.objects.filter(attempt=2).count() == 1


def test_planning_stops_when_its_time_is_up_and_goes_on_with_the_next_turn(lease, now, monkeypatch):
    """A long downtime leaves many slots to count, and the lease's row is locked meanwhile."""
    monkeypatch.setattr(claims, "MAX_PLANNING_SECONDS", 0.0)
    for number in range(3):
        due(f"job-{number}", now - timedelta(minutes=9 - number))
    turns = [claim(lease, now) for _ in range(4)]
    assert [turn.due for turn in turns] == [1, 1, 1, 0]
    assert [turn.progress for turn in turns] == [True, True, True, False]
    assert statuses() == dict.fromkeys(["job-0", "job-1", "job-2"], Status.QUEUED)
