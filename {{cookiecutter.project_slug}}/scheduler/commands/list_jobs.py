from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from ..conf import conf
from ..models import Job
from ..models.job import JobState
from . import rows
from .answer import Answer, table

NAME = "list"
HELP = "List the jobs: next first, those that rest last."


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--state", choices=JobState.values, help="only jobs in this state")


def run(options: dict[str, Any]) -> Answer:
    jobs = Job.objects.using(conf().DATABASE).all()
    if options["state"]:
        jobs = jobs.filter(state=options["state"])
    found = sorted(jobs, key=_next_first)
    lines = table(
        ("ID", "STATE", "NEXT RUN", "TRIGGER", "FUNCTION"),
        [(job.id, job.state, job.next_run_time, rows.words(job), job.func) for job in found],
    )
    return Answer([rows.job(job) for job in found], lines)


def _next_first(job: Job) -> tuple[bool, Any, str]:
    rests = job.state != JobState.ACTIVE or job.next_run_time is None
    return rests, 0 if rests else job.next_run_time, job.id
