"""Compute the next run time of jobs whose trigger was changed by other means than the client."""

from __future__ import annotations

import logging
from datetime import datetime
from functools import partial

from ... import triggers
from ...db.connection import skips_locked
from ...definitions import changes, states
from ...definitions.states import Event
from ...models import Job
from ...models.change import Action
from ...models.job import JobQuerySet
from ..ledger.budget import within

logger = logging.getLogger("scheduler.replan")

MAX_JOBS_PER_TURN = 200


def replan(now: datetime, using: str) -> int:
    """Plan the jobs whose trigger is not the one that ``next_run_time`` was computed from.

    ``QuerySet.update(trigger=...)`` and raw SQL come here; the client computes by itself.

    Returns:
        How many jobs were planned.
    """
    rows = JobQuerySet(Job, using=using).rescheduled()
    jobs = list(
        rows.order_by("id").select_for_update(skip_locked=skips_locked(using))[:MAX_JOBS_PER_TURN]
    )
    for job in jobs:
        columns = {"planned_trigger": job.trigger}
        try:
            trigger = triggers.loads(job.trigger)
            following = within(partial(trigger.get_next_fire_time, None, now))
        except Exception as error:
            logger.error("Job %r is quarantined: %s", job.id, error)
            changes.quarantine(job, f"trigger: {error}", using)
        else:
            # Recorded though it stays: without it the schedule ends with this change.
            columns["next_run_time"] = job.next_run_time
            columns |= states.after(job.state, Event.REPLANNED, following)
        Job._base_manager.using(using).filter(pk=job.pk).update(**columns)
        before = {"trigger": job.planned_trigger, "next_run_time": job.next_run_time}
        after = {"trigger": job.trigger, **columns}
        after.pop("planned_trigger")
        with changes.changed_by("database"):
            changes.record(Action.CHANGED, job.id, job.uid, before, after, using)
    return len(jobs)
