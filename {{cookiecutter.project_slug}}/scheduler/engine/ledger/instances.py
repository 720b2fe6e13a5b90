"""How many instances of each job there are, and whether another one may be queued."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from uuid import UUID

from ...definitions.due import Planned
from ...models.execution import Status

NOT_ENDED = "max_instances reached: earlier runs had not ended"
NOT_BEGUN = "max_instances reached: earlier runs had not begun"
NO_ROOM = (NOT_ENDED, NOT_BEGUN)


class Instances:
    """Queued and running executions, by the uid of their job."""

    def __init__(
        self, rows: Iterable[tuple[UUID, str, int]], in_doubt: Mapping[UUID, int] | None = None
    ) -> None:
        """Count the executions that have not ended.

        Args:
            rows: uid, status and number of executions.
            in_doubt: how many of the running ones belong to processes that may be dead.
        """
        self._open: Counter[UUID] = Counter()
        self._running: Counter[UUID] = Counter()
        self._in_doubt = Counter(in_doubt or {})
        for uid, status, count in rows:
            self._open[uid] += count
            if status == Status.RUNNING:
                self._running[uid] += count

    def refusal(self, job: Planned) -> str:
        """Return why no further run of the job may be queued; empty if one may."""
        if self._open[job.uid] < job.max_instances:
            return ""
        return NOT_ENDED if self._running[job.uid] else NOT_BEGUN

    def is_undecided(self, job: Planned) -> bool:
        """Return whether runs of processes that may be dead are all that stands in the way.

        The job's slots then wait until that is judged, which takes seconds, and are planned as
        ``coalesce`` and ``misfire_grace_time`` say: skipped now, they could not be made up for.
        """
        doubted = min(self._in_doubt[job.uid], self._running[job.uid])
        return self._open[job.uid] - doubted < job.max_instances <= self._open[job.uid]
