"""``list`` and ``show``: the jobs, and one job with its past and future."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import datetime
from typing import Any

from ...conf import conf
from ...definitions.changes import unknown_job
from ...models import Change, Execution, Job, Lease
from ...models.job import JobState
from ...schedulers.runs import START_ONE
from ...triggers import TriggerError, loads, next_runs
from .output import cell, execution_data, iso, job_details, job_summary, reason, table
from .output import trigger_in_words as in_words
from .subcommand import Answer, Subcommand

MAX_ENTRIES = 5
"""How many next runs, last runs and changes ``show`` lists."""
TIMES = ("next_run_time", "created_at", "updated_at")


def _add_list_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--state", choices=JobState.values, help="only jobs in this state")


def _list(options: dict[str, Any]) -> Answer:
    jobs = Job.objects.using(conf().DATABASE).all()
    if options["state"]:
        jobs = jobs.filter(state=options["state"])
    found = sorted(jobs, key=_next_first)
    heads = ("ID", "STATE", "NEXT RUN", "TRIGGER", "FUNCTION")
    cells = [(job.id, job.state, job.next_run_time, in_words(job), job.func) for job in found]
    lines = table(heads, cells) if cells else [_why_none(options["state"])]
    return Answer([job_summary(job) for job in found], lines)


def _add_show_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("job_id")


def _show(options: dict[str, Any]) -> Answer:
    using = conf().DATABASE
    job = Job.objects.using(using).filter(pk=options["job_id"]).first()
    if job is None:
        raise unknown_job(options["job_id"], using)
    details = job_details(job)
    upcoming = _next_runs(job)
    last = list(Execution.objects.using(using).filter(job_uid=job.uid)[:MAX_ENTRIES])
    changes = list(Change.objects.using(using).filter(job_uid=job.uid)[:MAX_ENTRIES])
    data = details | {
        "next_runs": [iso(at) for at in upcoming],
        "last_runs": [execution_data(row) for row in last],
        "changes": [{"at": iso(row.at), "by": row.by, "action": row.action} for row in changes],
    }
    in_local_time = details | {name: getattr(job, name) for name in TIMES}
    lines = [f"{name:20}{cell(value)}" for name, value in in_local_time.items()]
    lines += ["", "Next runs", *(f"  {cell(at)}" for at in upcoming)]
    lines += ["", "Last runs", *_runs_table(last)]
    lines += [
        "",
        "Changes",
        *table(("AT", "ACTION", "BY"), [(c.at, c.action, c.by) for c in changes]),
    ]
    return Answer(data, lines)


LIST = Subcommand(
    "list",
    "List jobs: the next to run first, paused and finished jobs last.",
    _add_list_arguments,
    _list,
)
SHOW = Subcommand(
    "show",
    "Show one job: its definition, its next runs, its last runs, and who changed it.",
    _add_show_arguments,
    _show,
)


def _why_none(state: str | None) -> str:
    using = conf().DATABASE
    if state and Job.objects.using(using).exists():
        return f"No job is {state}."
    if Lease.objects.using(using).filter(term__gt=0).exists():
        return "No jobs."
    # After the first migrate the jobs of the code seem to be lost.
    return f"No jobs yet: the scheduler adds the declared ones when it starts. {START_ONE}"


def _next_first(job: Job) -> tuple[bool, Any, str]:
    return job.next_due is None, job.next_due or 0, job.id


def _next_runs(job: Job) -> list[datetime]:
    if job.next_due is None:
        return []
    try:
        trigger = loads(job.trigger)
    except TriggerError:
        return []
    following = next_runs(trigger, MAX_ENTRIES, job.next_due)
    return [job.next_due, *(at for at in following if at > job.next_due)][:MAX_ENTRIES]


def _runs_table(rows: list[Execution]) -> list[str]:
    heads = ("ID", "STATUS", "SCHEDULED", "DURATION", "REASON")
    return table(
        heads,
        [(row.pk, row.status, row.scheduled_run_time, row.duration, reason(row)) for row in rows],
    )
