"""``add``: a job from a function, a trigger and options."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from ... import scheduler
from ...conf import conf
from ...errors import JobExistsError
from ...models import Job
from .arguments import json_of
from .output import cell, job_details
from .subcommand import Answer, Subcommand

OPTIONS = ("id", "name", "args", "kwargs", "executor", "max_instances", "misfire_grace_time",
           "timeout", "max_retries", "retry_delay", "on_lost")  # fmt: skip


def _add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("func", help="module:function")
    parser.add_argument(
        "trigger",
        help="date, interval, cron or calendarinterval; or a crontab line in quotes, which the "
        "word crontab may precede",
    )
    parser.add_argument(
        "trigger_args",
        nargs="*",
        metavar="name=value",
        help="the trigger's arguments, such as minutes=5, hour=3, run_date=2030-01-01",
    )
    parser.add_argument("--id", help="the job's id (default: a random one)")
    parser.add_argument("--name", help="the job's display name")
    add_call_arguments(parser)
    parser.add_argument("--executor", help="default or processes")
    parser.add_argument("--max-instances", type=int, help="how many runs may overlap")
    parser.add_argument(
        "--misfire-grace-time", type=int, help="seconds by which a run may start late"
    )
    parser.add_argument(
        "--timeout",
        type=float,
        help="seconds after which a run is ended; needs --executor processes",
    )
    parser.add_argument("--max-retries", type=int, help="how often a failed run is retried")
    parser.add_argument("--retry-delay", type=float, help="seconds before a retry")
    parser.add_argument(
        "--on-lost",
        choices=("fail", "retry"),
        help="whether a run whose process died is retried",
    )
    parser.add_argument("--paused", action="store_true", help="add the job paused")
    parser.add_argument("--replace", action="store_true", help="replace the job that has this id")


def _add(options: dict[str, Any]) -> Answer:
    options |= {"args": options["call_args"], "kwargs": options["call_kwargs"]}
    policies = {name: options[name] for name in OPTIONS if options[name] is not None}
    if options["paused"]:
        policies["next_run_time"] = None
    arguments = dict(_pair(text) for text in _trigger_args(options))
    try:
        job = scheduler.add_job(
            options["func"],
            options["trigger"],
            replace_existing=options["replace"],
            **policies,
            **arguments,
        )
    except JobExistsError as error:
        raise ValueError(str(error).replace("replace_existing=True", "--replace")) from None
    row = Job.objects.using(conf().DATABASE).get(pk=job.id)
    return Answer(job_details(row), [f"Added {row.id}: next run {cell(row.next_run_time)}"])


def add_call_arguments(parser: ArgumentParser) -> None:
    """Add ``--args`` and ``--kwargs``, under other names: Django needs "args" for itself."""
    parser.add_argument(
        "--args", dest="call_args", type=json_of(list), help="positional arguments, a JSON list"
    )
    parser.add_argument(
        "--kwargs", dest="call_kwargs", type=json_of(dict), help="keyword arguments, a JSON object"
    )


ADD = Subcommand(
    "add",
    "Add a job, for example: add home.jobs:heartbeat interval minutes=5, or "
    "add home.jobs:heartbeat '0 3 * * *'",
    _add_arguments,
    _add,
    signed=True,
)


def _trigger_args(options: dict[str, Any]) -> list[str]:
    """Return the trigger's arguments; a line after the word crontab needs no name."""
    first, *rest = options["trigger_args"] or [""]
    if options["trigger"] == "crontab" and first and "=" not in first:
        return [f"expr={first}", *rest]
    return options["trigger_args"]


def _pair(text: str) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    if not equals:
        raise ValueError(
            f"{text!r} is not a trigger argument: write name=value, such as minutes=5, and put a "
            "crontab line in quotes"
        )
    try:
        return name, int(value)
    except ValueError:
        return name, value
