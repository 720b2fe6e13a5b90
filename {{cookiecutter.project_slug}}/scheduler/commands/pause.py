from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from .. import scheduler
from .answer import Answer
from .each import each_of

NAME = "pause"
SIGNED = True
HELP = "Pause jobs: none of their runs starts until they are resumed."


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("job_ids", nargs="+", metavar="job_id")


def run(options: dict[str, Any]) -> Answer:
    return each_of(options["job_ids"], scheduler.pause_job, "Paused")
