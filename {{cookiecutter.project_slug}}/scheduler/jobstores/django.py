"""``DjangoJobStore``: the store to give to any APScheduler scheduler."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from apscheduler.job import Job as APSchedulerJob
from apscheduler.schedulers.base import BaseScheduler

from ..definitions.store import RowJobStore
from .keeper import Keeper


class DjangoJobStore(RowJobStore):
    """Store jobs in the database; beside a stock scheduler, take part in the lease and the ledger.

    A stock scheduler gets from it only the runs that its keeper has claimed, so any number of
    processes may start one.

    Args:
        pickle_protocol: accepted for django-apscheduler's sake; nothing is pickled.
        using: alias of the database; ``APSCHEDULER_DATABASE`` if not given.
    """

    def __init__(self, pickle_protocol: int | None = None, *, using: str | None = None) -> None:
        super().__init__(pickle_protocol, using=using)
        self._keeper: Keeper | None = None
        self._has_left = False

    def start(self, scheduler: Any, alias: str) -> None:
        """Join a scheduler under an alias. Beside a stock one, start a keeper."""
        super().start(scheduler, alias)
        if isinstance(scheduler, BaseScheduler) and not self._has_engine:
            self._keeper = Keeper(self.using, scheduler, alias)
            self._has_left = False
            self._keeper.start()

    def shutdown(self) -> None:
        """Stop the keeper, and close the calling thread's connection."""
        if self._keeper is not None:
            self._keeper.stop()
            self._keeper, self._has_left = None, True
        super().shutdown()

    def get_due_jobs(self, now: datetime) -> list[Any]:
        """Return the runs that the keeper has claimed for a stock scheduler.

        Returns none after its shutdown, which waits for bodies while its loop waits for the lock:
        that turn would move jobs on and find no executor to run them.
        """
        if self._has_left:
            return []
        return self._keeper.due() if self._keeper is not None else super().get_due_jobs(now)

    def get_next_run_time(self) -> datetime | None:
        """Return the earliest next run time; None to a scheduler, which its keeper wakes."""
        served = self._keeper is not None or self._has_left
        return None if served else super().get_next_run_time()

    def update_job(self, job: APSchedulerJob) -> None:
        """Write what changed; nothing for a run that was handed out, which has no row.

        Raises:
            JobLookupError: there is no such row any more, or another one under the same id.
        """
        if self._keeper is None or not self._keeper.handed_out(job):
            super().update_job(job)
