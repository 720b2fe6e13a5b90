"""Run jobs of other job stores, which APScheduler's own loop submits, as its pools do."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from apscheduler.executors.base import BaseExecutor, run_job


def run_foreign(executor: BaseExecutor, job: Any, run_times: list[datetime]) -> None:
    """Run the job in the calling thread, and let the executor emit APScheduler's events."""
    try:
        events = run_job(job, job._jobstore_alias, run_times, executor._logger.name)
    except BaseException as error:
        executor._run_job_error(job.id, error, error.__traceback__)
    else:
        executor._run_job_success(job.id, events)
