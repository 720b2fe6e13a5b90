from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from ..conf import conf
from ..engine.requests import START_ONE
from ..models import Job, Lease
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
    heads = ("ID", "STATE", "NEXT RUN", "TRIGGER", "FUNCTION")
    told = [(job.id, job.state, job.next_run_time, rows.words(job), job.func) for job in found]
    lines = table(heads, told) if told else [_why_none(options["state"])]
    return Answer([rows.job(job) for job in found], lines)


def _why_none(state: str | None) -> str:
    using = conf().DATABASE
    if state and Job.objects.using(using).exists():
        return f"No job is {state}."
    if Lease.objects.using(using).filter(term__gt=0).exists():
        return "No jobs."
    # After the first migrate the jobs of the code seem to be lost.
    return f"No jobs yet: a scheduler brings in the declared ones when it starts. {START_ONE}"


def _next_first(job: Job) -> tuple[bool, Any, str]:
    rests = job.state != JobState.ACTIVE or job.next_run_time is None
    return rests, 0 if rests else job.next_run_time, job.id
