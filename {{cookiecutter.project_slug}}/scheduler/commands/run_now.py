from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from .. import scheduler
from ..engine.requests import START_ONE
from ..errors import RunNowTimeoutError
from ..models.execution import Status
from . import rows
from .add import add_call_arguments
from .answer import DONE, FAILED, NOBODY, TIMEOUT, Answer

NAME = "run"
SIGNED = True
HELP = "Have the scheduler run a job now, beside its schedule; paused jobs too."


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("job_id")
    add_call_arguments(parser)  # instead of the job's own
    parser.add_argument("--wait", action="store_true", help="until the run has ended")
    parser.add_argument(
        "--timeout", type=float, help="seconds to wait (APSCHEDULER_RUN_NOW_TIMEOUT)"
    )


def run(options: dict[str, Any]) -> Answer:
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
        execution, said = late.execution, str(late)
        code = TIMEOUT if scheduler.running else NOBODY
    else:
        said = f"Execution {execution.pk} of {execution.job_id}: {execution.status}"
        if options["wait"] and execution.status != Status.SUCCEEDED:
            code = FAILED
            said = f"{said}. {rows.why(execution)}"
        elif not options["wait"] and not scheduler.running:
            said = f"{said}. It waits: no scheduler is alive. {START_ONE}"
    return Answer(rows.execution(execution), [said], code)
