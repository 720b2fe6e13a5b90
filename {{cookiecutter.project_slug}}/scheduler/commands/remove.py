from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from .. import scheduler
from .answer import Answer
from .each import each_of

NAME = "remove"
SIGNED = True
HELP = "Remove jobs; their history stays."


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("job_ids", nargs="+", metavar="job_id")


def run(options: dict[str, Any]) -> Answer:
    return each_of(options["job_ids"], scheduler.remove_job, "Removed")
