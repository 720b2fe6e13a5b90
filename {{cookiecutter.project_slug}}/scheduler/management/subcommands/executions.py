"""``run``, ``cancel`` and ``history``: ask for a run, stop one, list them."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from ... import scheduler
from ...conf import conf
from ...definitions.changes import unknown_job
from ...errors import RunNowTimeoutError
from ...models import Execution, Job
from ...models.execution import Status
from ...schedulers.runs import START_ONE
from .add import add_call_arguments
from .arguments import count, seconds
from .output import cell, execution_data, reason, table
from .subcommand import DONE, FAILED, TIMEOUT, UNHEALTHY, Answer, Subcommand


def _add_run_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("job_id")
    add_call_arguments(parser)  # instead of the job's own
    parser.add_argument("--wait", action="store_true", help="wait until the run has ended")
    parser.add_argument(
        "--timeout",
        type=seconds,
        help="seconds to wait (default: the setting APSCHEDULER_RUN_NOW_TIMEOUT)",
    )


def _run(options: dict[str, Any]) -> Answer:
    code = DONE
    try:
        execution = scheduler.run_now(
            options["job_id"],
            args=options["call_args"],
            kwargs=options["call_kwargs"],
            requested_by=options["by"],
            wait=options["wait"],
            timeout=options["timeout"],
        )
    except RunNowTimeoutError as late:
        execution, message = late.execution, str(late)
        code = TIMEOUT if scheduler.running else UNHEALTHY
    else:
        message = f"Execution {execution.pk} of {execution.job_id}: {execution.status}"
        if options["wait"] and execution.status != Status.SUCCEEDED:
            code = FAILED
            message = f"{message}. {cell(reason(execution))}"
        elif not options["wait"] and scheduler.paused:
            message = f"{message}. The scheduler is paused: manage.py scheduler resume --all"
        elif not options["wait"] and not scheduler.running:
            message = f"{message}. No scheduler process is running. {START_ONE}"
    return Answer(execution_data(execution), [message], code)


def _add_cancel_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("execution_id", type=int)


def _cancel(options: dict[str, Any]) -> Answer:
    execution = scheduler.cancel(options["execution_id"], requested_by=options["by"])
    outcome = "cancelled" if execution.status == Status.CANCELLED else "asked to stop"
    line = f"Execution {execution.pk} of {execution.job_id}: {outcome}"
    return Answer(execution_data(execution), [line])


def _add_history_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("job_id", nargs="?")
    parser.add_argument("--status", choices=Status.values, action="append")
    parser.add_argument("--limit", type=count, default=20, help="how many to list (default: 20)")


def _history(options: dict[str, Any]) -> Answer:
    using, job_id = conf().DATABASE, options["job_id"]
    rows = Execution.objects.using(using).all()
    if options["limit"] < 1:
        raise ValueError(f"--limit must be at least 1, not {options['limit']}")
    if job_id is not None:
        rows = rows.filter(job_id=job_id)
        if not rows.exists() and not Job.objects.using(using).filter(pk=job_id).exists():
            raise unknown_job(job_id, using)
    if options["status"]:
        rows = rows.filter(status__in=options["status"])
    found = list(rows[: options["limit"]])
    lines = table(
        ("ID", "JOB", "STATUS", "KIND", "SCHEDULED", "STARTED", "DURATION", "REASON"),
        [
            (row.pk, row.job_id, row.status, row.kind, row.scheduled_run_time, row.started_at,
             row.duration, reason(row))
            for row in found
        ],
    )  # fmt: skip
    return Answer([execution_data(row) for row in found], lines)


RUN = Subcommand(
    "run",
    "Run a job now, in addition to its schedule; paused jobs too.",
    _add_run_arguments,
    _run,
    signed=True,
)
CANCEL = Subcommand(
    "cancel",
    "Cancel an execution: a queued one at once; a running one is asked to stop.",
    _add_cancel_arguments,
    _cancel,
    signed=True,
)
HISTORY = Subcommand(
    "history",
    "List executions, newest first, including those of removed jobs.",
    _add_history_arguments,
    _history,
)
