"""A day of history behind the jobs of a database, so that a picture shows more than a minute.

The rows are made up; what the schedulers of the rig add to them is real.
"""

from __future__ import annotations

import random
from datetime import datetime, timedelta

MOST = 300
DAY = timedelta(days=1)


def write(using: str = "default") -> None:
    """For each job the slots of the last 24 hours, thinned out, with outcomes as they come."""
    from django.utils import timezone
    from scheduler import triggers
    from scheduler.models import Execution, Job, Node

    now, chance = timezone.now(), random.Random(11)
    node = Node.objects.using(using).order_by("-started_at").first()
    rows = []
    for job in Job.objects.using(using):
        for at in _slots(triggers.loads(job.trigger), now):
            rows.append(_row(Execution, job, at, node, chance))
    rows.sort(key=lambda row: row.due_at)
    Execution._base_manager.using(using).bulk_create(
        rows,
        batch_size=500,
        ignore_conflicts=True,  # a slot that came due meanwhile has run for real
    )


def _slots(trigger, now: datetime) -> list[datetime]:
    step = getattr(trigger, "interval", None)
    if step is not None:
        every = max(step, DAY / MOST)
        number = DAY // every
        return [now - every * back for back in range(number, 0, -1)]
    from scheduler import triggers

    return [at for at in triggers.next_runs(trigger, MOST, now - DAY) if at < now]


def _row(model, job, at: datetime, node, chance: random.Random):
    unlucky = "sync" in job.pk
    weights = (80, 14, 3, 3) if unlucky else (995, 2, 2, 1)
    status = chance.choices(("succeeded", "failed", "skipped", "missed"), weights)[0]
    ran = status in ("succeeded", "failed")
    started = at + timedelta(milliseconds=chance.expovariate(1 / 6)) if ran else None
    took = timedelta(seconds=2400 if "report" in job.pk else chance.lognormvariate(0, 0.7))
    return model(
        job_id=job.pk,
        job_uid=job.uid,
        job_name=job.name,
        func=job.func,
        args=job.args,
        kwargs=job.kwargs,
        sensitive=job.sensitive,
        scheduled_run_time=at,
        status=status,
        reason="" if ran else "one instance of this job is still running",
        due_at=at,
        queued_at=at,
        started_at=started,
        finished_at=started + took if started else at,
        term=1,
        node_id=node.pk if node else None,
        exception="ConnectionError: warehouse north did not answer" if status == "failed" else "",
    )


if __name__ == "__main__":
    import django

    django.setup()
    write()
