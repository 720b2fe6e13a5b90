"""``pause``, ``resume`` and ``remove``: each acts on all of the jobs named, or on none.

``--all`` pauses and resumes the cluster itself and leaves the jobs as they are.
"""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Callable
from typing import Any

from apscheduler.jobstores.base import JobLookupError
from django.db import transaction

from ... import scheduler
from ...conf import conf
from ...definitions.changes import unknown_job
from ...models import Execution, Job
from .output import cell, job_summary
from .subcommand import Answer, Subcommand

COMES_BACK = (
    "It is declared in code: the next leader adds it again. Pause it instead, or delete its @job."
)


def _add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("job_ids", nargs="+", metavar="job_id")


def _add_arguments_or_all(parser: ArgumentParser) -> None:
    parser.add_argument("job_ids", nargs="*", metavar="job_id")
    parser.add_argument(
        "--all",
        action="store_true",
        help="the whole cluster, for maintenance; each job's own state stays as it is",
    )


def _pause(options: dict[str, Any]) -> Answer:
    if not _is_for_all(options):
        return _all_or_none(options["job_ids"], scheduler.pause_job, "Paused")
    scheduler.pause(requested_by=options["by"])
    running = Execution.objects.using(conf().DATABASE).running().count()
    line = f"Paused: no run starts until 'scheduler resume --all'. Still running: {running}"
    return Answer({"paused": True, "running": running}, [line])


def _resume(options: dict[str, Any]) -> Answer:
    if not _is_for_all(options):
        return _all_or_none(options["job_ids"], scheduler.resume_job, "Resumed")
    scheduler.resume(requested_by=options["by"])
    line = "Resumed: runs that fell due meanwhile follow their jobs' misfire policies"
    return Answer({"paused": False}, [line])


def _is_for_all(options: dict[str, Any]) -> bool:
    if options["all"] == bool(options["job_ids"]):
        raise ValueError("name one or more jobs, or give --all")
    return bool(options["all"])


def _remove(options: dict[str, Any]) -> Answer:
    return _all_or_none(options["job_ids"], scheduler.remove_job, "Removed")


PAUSE = Subcommand(
    "pause",
    "Pause jobs, or with --all the cluster: no run starts until they are resumed.",
    _add_arguments_or_all,
    _pause,
    True,
)
RESUME = Subcommand(
    "resume",
    "Resume paused jobs, or with --all the cluster; a job whose schedule has ended is removed.",
    _add_arguments_or_all,
    _resume,
    True,
)
REMOVE = Subcommand("remove", "Remove jobs; their history is kept.", _add_arguments, _remove, True)


def _all_or_none(job_ids: list[str], statement: Callable[[str], Any], done: str) -> Answer:
    """Apply the statement to each job in one transaction.

    Raises:
        LookupError: there is no such job; nothing has changed.
    """
    using = conf().DATABASE
    job_ids = list(dict.fromkeys(job_ids))  # an id that is given twice is meant once
    try:
        with transaction.atomic(using=using):
            before = _locked(job_ids, using)
            for job_id in job_ids:
                statement(job_id)
    except LookupError as error:
        if len(job_ids) > 1:
            error.add_note("Nothing was changed.")
        raise
    left = {row.id: row for row in Job.objects.using(using).filter(pk__in=job_ids)}
    lines, data = [], []
    for job_id in job_ids:
        if job_id in left:
            lines.append(f"{done} {job_id}: next run {cell(left[job_id].next_run_time)}")
            data.append(job_summary(left[job_id]))
        else:
            declared = before[job_id].declared
            lines.append(f"{done} {job_id}" + (f". {COMES_BACK}" if declared else ""))
            data.append({"id": job_id, "state": "removed", "declared": declared})
    return Answer(data, lines)


def _locked(job_ids: list[str], using: str) -> dict[str, Job]:
    """Lock all rows before the first statement, since a rollback takes back no line of the log."""
    rows = Job.objects.using(using).select_for_update().filter(pk__in=job_ids).order_by("pk")
    found = {row.id: row for row in rows}
    if missing := [job_id for job_id in job_ids if job_id not in found]:
        if len(missing) == 1:
            raise unknown_job(missing[0], using)
        raise JobLookupError(", ".join(missing))
    return found
