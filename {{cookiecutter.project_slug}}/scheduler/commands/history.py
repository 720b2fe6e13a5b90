from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from apscheduler.jobstores.base import JobLookupError

from ..conf import conf
from ..models import Execution, Job
from ..models.execution import Status
from . import rows
from .answer import Answer, table

NAME = "history"
HELP = "List executions, newest first; also of jobs that are gone."


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("job_id", nargs="?")
    parser.add_argument("--status", choices=Status.values, action="append")
    parser.add_argument("--limit", type=int, default=20)


def run(options: dict[str, Any]) -> Answer:
    using, job_id = conf().DATABASE, options["job_id"]
    executions = Execution.objects.using(using).all()
    if options["limit"] < 1:
        raise ValueError(f"--limit must be at least 1, not {options['limit']}")
    if job_id is not None:
        executions = executions.filter(job_id=job_id)
        if not executions.exists() and not Job.objects.using(using).filter(pk=job_id).exists():
            raise JobLookupError(job_id)
    if options["status"]:
        executions = executions.filter(status__in=options["status"])
    found = list(executions[: options["limit"]])
    lines = table(
        ("ID", "JOB", "STATUS", "KIND", "SLOT", "STARTED", "DURATION", "WHY"),
        [
            (row.pk, row.job_id, row.status, row.kind, row.scheduled_run_time, row.started_at,
             row.duration, rows.why(row))
            for row in found
        ],
    )  # fmt: skip
    return Answer([rows.execution(row) for row in found], lines)
