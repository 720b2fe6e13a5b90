from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from .. import scheduler
from ..models.execution import Status
from . import rows
from .answer import Answer

NAME = "cancel"
SIGNED = True
HELP = "Cancel an execution: a queued one at once; a running one is asked to stop."


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("execution_id", type=int)


def run(options: dict[str, Any]) -> Answer:
    execution = scheduler.cancel(options["execution_id"], requested_by=options["by"])
    said = "cancelled" if execution.status == Status.CANCELLED else "runs; it was asked to stop"
    return Answer(
        rows.execution(execution), [f"Execution {execution.pk} of {execution.job_id} {said}"]
    )
