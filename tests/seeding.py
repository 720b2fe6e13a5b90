"""Rows to look at and to measure on: jobs and executions as a busy scheduler leaves them.

``python -m tests.seeding --jobs 1000 --executions 1000000`` fills the database of
``TEST_DATABASE_URL``, replacing what the scheduler's tables hold.
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

SHARES = {
    "succeeded": 940,
    "failed": 30,
    "timed_out": 5,
    "missed": 10,
    "skipped": 10,
    "lost": 2,
    "cancelled": 3,
}
BATCH = 1000


def seed(jobs: int, executions: int, using: str = "default", days: float = 7.0) -> None:
    """Fill the tables; the newest execution ended just now, the oldest ``days`` ago.

    What has ended is counted as a leader counts it.
    """
    from django.utils import timezone
    from scheduler.engine.maintenance import tallies
    from scheduler.models import Execution, Job, Lease, Node, Tally, TallyMark, TallyOpen, Trend

    now = timezone.now()
    for model in (Execution, Job, Node, Lease, Tally, TallyMark, TallyOpen, Trend):
        model._base_manager.using(using).all()._raw_delete(using)
    node = Node(
        role="leader",
        host="db1.example.com",
        pid=4711,
        wake_mode="notify",
        started_at=now - timedelta(days=days),
        beat_at=now,
        ttl=6.0,
    )
    node.save(using=using)
    Lease(
        pk=1,
        holder=node.pk,
        term=7,
        acquired_at=node.started_at,
        renewed_at=now,
        expires_at=now + timedelta(hours=1),
    ).save(using=using)
    rows = [_job(number, now) for number in range(jobs)]
    Job._base_manager.using(using).bulk_create(rows, batch_size=BATCH)
    made = _executions(rows, executions, node, now, days)
    while batch := list(islice(made, BATCH)):
        Execution._base_manager.using(using).bulk_create(batch)
    while tallies.count_settled(timezone.now(), using)[1]:
        pass


def _job(number: int, now: datetime) -> Any:
    from scheduler.models import Job

    seconds = 60 + number % 7 * 300
    schedule: dict[str, Any] = {"type": "interval", "seconds": seconds, "timezone": "UTC"}
    if number % 2:
        minute = str(number % 60)
        schedule = {"type": "cron", "hour": "*/2", "minute": minute, "timezone": "Europe/Berlin"}
    trigger = json.dumps(schedule, separators=(",", ":"), sort_keys=True)
    return Job(
        id=f"shop.task_{number:04}",
        name=f"Task {number}",
        func="tests.seeded:task",
        kwargs='{"limit":10}',
        trigger=trigger,
        planned_trigger=trigger,
        next_run_time=now + timedelta(seconds=seconds * (number % 97) / 97),
        state="quarantined" if number % 101 == 100 else "paused" if number % 53 == 52 else "active",
        last_error="No module named 'shop.old'" if number % 101 == 100 else "",
        declared=number % 3 == 0,
    )


def _executions(
    jobs: list[Any], number: int, node: Any, now: datetime, days: float
) -> Iterator[Any]:
    from scheduler.models import Execution

    chance = random.Random(5)
    outcomes = chance.choices(list(SHARES), list(SHARES.values()), k=number)
    step = timedelta(days=days) / max(number, 1)
    for n, status in enumerate(outcomes):
        job = jobs[n % len(jobs)]
        due = now - step * (number - n) - timedelta(seconds=30)
        ran = status not in ("missed", "skipped")
        started = due + timedelta(milliseconds=chance.expovariate(1 / 8)) if ran else None
        took = timedelta(seconds=chance.lognormvariate(0, 1))
        yield Execution(
            job_id=job.pk,
            job_uid=job.uid,
            job_name=job.name,
            func=job.func,
            kwargs=job.kwargs,
            scheduled_run_time=due,
            attempt=1,
            status=status,
            reason="" if ran else "another instance was still running",
            due_at=due,
            queued_at=due,
            started_at=started,
            finished_at=min(started + took, now) if started else due,
            term=7,
            node_id=node.pk,
            exception="ValueError: no such order" if status == "failed" else "",
            traceback="Traceback (most recent call last): ..." if status == "failed" else "",
        )


def main() -> None:
    import django

    django.setup()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=1000)
    parser.add_argument("--executions", type=int, default=1_000_000)
    parser.add_argument("--days", type=float, default=7.0)
    options = parser.parse_args()
    seed(options.jobs, options.executions, days=options.days)


if __name__ == "__main__":
    main()
