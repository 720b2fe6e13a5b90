from __future__ import annotations

import json
from argparse import ArgumentParser, ArgumentTypeError
from typing import Any

from .. import scheduler
from ..conf import conf
from ..models import Job
from . import rows
from .answer import Answer, cell

NAME = "add"
SIGNED = True
HELP = "Add a job: scheduler add home.jobs:beat interval minutes=5, or add ... '0 3 * * *'."

OPTIONS = ("id", "name", "args", "kwargs", "executor", "max_instances", "misfire_grace_time",
           "timeout", "max_retries", "retry_delay", "on_lost")  # fmt: skip


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("func", help="module:function")
    parser.add_argument(
        "trigger",
        help="date, interval, cron, calendarinterval; or a crontab line in quotes, "
        "with or without the word crontab before it",
    )
    parser.add_argument(
        "trigger_args",
        nargs="*",
        metavar="name=value",
        help="such as minutes=5 hour=3 run_date=...",
    )
    parser.add_argument("--id")
    parser.add_argument("--name")
    add_call_arguments(parser)
    parser.add_argument("--executor")
    parser.add_argument("--max-instances", type=int)
    parser.add_argument("--misfire-grace-time", type=int, help="seconds")
    parser.add_argument("--timeout", type=float, help="seconds; with --executor processes")
    parser.add_argument("--max-retries", type=int)
    parser.add_argument("--retry-delay", type=float, help="seconds")
    parser.add_argument("--on-lost", choices=("fail", "retry"))
    parser.add_argument("--paused", action="store_true", help="add it paused")
    parser.add_argument("--replace", action="store_true", help="replace a job of the same id")


def run(options: dict[str, Any]) -> Answer:
    options |= {"args": options["call_args"], "kwargs": options["call_kwargs"]}
    given = {name: options[name] for name in OPTIONS if options[name] is not None}
    if options["paused"]:
        given["next_run_time"] = None
    job = scheduler.add_job(
        options["func"],
        options["trigger"],
        replace_existing=options["replace"],
        **given,
        **dict(_pair(text) for text in _trigger_args(options)),
    )
    row = Job.objects.using(conf().DATABASE).get(pk=job.id)
    return Answer(rows.whole_job(row), [f"Added {row.id}: next run {cell(row.next_run_time)}"])


def add_call_arguments(parser: ArgumentParser) -> None:
    """``--args`` and ``--kwargs``; Django keeps the name "args" for itself."""
    parser.add_argument(
        "--args", dest="call_args", type=_json_of(list), help="JSON list of arguments"
    )
    parser.add_argument(
        "--kwargs", dest="call_kwargs", type=_json_of(dict), help="JSON object of named arguments"
    )


def _trigger_args(options: dict[str, Any]) -> list[str]:
    """The line after the word crontab is its one argument that goes without a name."""
    first, *rest = options["trigger_args"] or [""]
    if options["trigger"] == "crontab" and first and "=" not in first:
        return [f"expr={first}", *rest]
    return options["trigger_args"]


def _pair(text: str) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    if not equals:
        raise ValueError(
            f"{text!r} is no argument of a trigger; write it like minutes=5, and a crontab line "
            "in quotes"
        )
    try:
        return name, int(value)
    except ValueError:
        return name, value


def _json_of(kind: type) -> Any:
    def parse(text: str) -> Any:
        try:
            value = json.loads(text)
        except ValueError as error:
            raise ArgumentTypeError(f"no JSON: {error}") from None
        if not isinstance(value, kind):
            raise ArgumentTypeError(f"a JSON {'list' if kind is list else 'object'} is wanted")
        return value

    return parse
