from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from apscheduler.jobstores.base import JobLookupError

from ..conf import conf
from ..models import Change, Execution, Job
from ..models.job import JobState
from ..triggers import TriggerError, loads, next_runs
from . import rows
from .answer import Answer, cell, table

NAME = "show"
HELP = "Show one job: its definition, its next runs, its last runs, who changed it."
LAST = 5
TIMES = ("next_run_time", "created_at", "updated_at")


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("job_id")


def run(options: dict[str, Any]) -> Answer:
    using = conf().DATABASE
    job = Job.objects.using(using).filter(pk=options["job_id"]).first()
    if job is None:
        raise JobLookupError(options["job_id"])
    data = rows.whole_job(job)
    told = data | {name: getattr(job, name) for name in TIMES}
    coming = _next_runs(job)
    last = list(Execution.objects.using(using).filter(job_uid=job.uid)[:LAST])
    changes = list(Change.objects.using(using).filter(job_uid=job.uid)[:LAST])
    data["next_runs"] = [rows.time(at) for at in coming]
    data["last_runs"] = [rows.execution(row) for row in last]
    data["changes"] = [
        {"at": rows.time(row.at), "by": row.by, "action": row.action} for row in changes
    ]
    lines = [f"{name:20}{cell(value)}" for name, value in told.items()]
    lines += ["", "Next runs", *(f"  {cell(at)}" for at in coming)]
    lines += ["", "Last runs", *table(("ID", "STATUS", "SLOT", "DURATION", "REASON"), _short(last))]
    lines += [
        "",
        "Changes",
        *table(("AT", "WHAT", "BY"), [(c.at, c.action, c.by) for c in changes]),
    ]
    return Answer(data, lines)


def _next_runs(job: Job) -> list[Any]:
    if job.state != JobState.ACTIVE or job.next_run_time is None:
        return []
    try:
        trigger = loads(job.trigger)
    except TriggerError:
        return []
    following = next_runs(trigger, LAST, job.next_run_time)
    return [job.next_run_time, *(at for at in following if at > job.next_run_time)][:LAST]


def _short(last: list[Execution]) -> list[tuple[Any, ...]]:
    return [
        (row.pk, row.status, row.scheduled_run_time, row.duration, rows.why(row)) for row in last
    ]
