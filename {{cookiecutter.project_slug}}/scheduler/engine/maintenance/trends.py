"""What ended in each hour and day, added to as runs are counted; called with the tallies only."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from ...conf import conf
from ...db.bulk import update_each
from ...models.execution import FINAL
from ...models.trend import Span, Trend
from . import histogram

HOURS_KEPT = timedelta(hours=49)
"""Of single jobs: for a day by hour, and the day before."""
OUTLIVE = timedelta(days=60)
"""Trends stay for so much longer than the executions that they were counted from."""
MAX_KEYS = 500
"""Rows that one statement names or deletes."""
COLUMNS = (*FINAL, "ran", "run_seconds", "longest", "run_buckets", "lag_buckets")

Key = tuple[str, str, datetime]
"""Span, job id and start."""


class Ended(NamedTuple):
    """A final execution, as far as it is counted. ``job_id`` is the key that it counts under."""

    job_id: str
    status: str
    slots: int
    due_at: datetime
    started_at: datetime | None
    finished_at: datetime | None

    @property
    def run_seconds(self) -> float | None:
        if self.started_at is None or self.finished_at is None:
            return None
        return (self.finished_at - self.started_at).total_seconds()

    @property
    def lag_seconds(self) -> float | None:
        return None if self.started_at is None else (self.started_at - self.due_at).total_seconds()


@dataclass
class Figures:
    """What one row of the table adds up."""

    outcomes: Counter[str] = field(default_factory=Counter)
    ran: int = 0
    run_seconds: float = 0.0
    longest: float = 0.0
    run_buckets: histogram.Buckets = field(default_factory=Counter)
    lag_buckets: histogram.Buckets = field(default_factory=Counter)

    @classmethod
    def of(cls, row: Trend) -> Figures:
        """Return the figures of a stored row."""
        return cls(
            Counter({status: getattr(row, status) for status in FINAL}),
            row.ran,
            row.run_seconds,
            row.longest,
            histogram.loads(row.run_buckets),
            histogram.loads(row.lag_buckets),
        )

    def count(self, run: Ended) -> None:
        self.outcomes[run.status] += run.slots
        if (seconds := run.run_seconds) is not None:
            self.ran += 1
            self.run_seconds += seconds
            self.longest = max(self.longest, seconds)
            self.run_buckets[histogram.bucket(seconds)] += 1
        if (late := run.lag_seconds) is not None:
            self.lag_buckets[histogram.bucket(late)] += 1

    def add(self, other: Figures) -> None:
        self.outcomes.update(other.outcomes)
        self.ran += other.ran
        self.run_seconds += other.run_seconds
        self.longest = max(self.longest, other.longest)
        self.run_buckets.update(other.run_buckets)
        self.lag_buckets.update(other.lag_buckets)

    def columns(self) -> list[Any]:
        """Return the values of ``COLUMNS``."""
        return [
            *(self.outcomes[status] for status in FINAL),
            self.ran,
            self.run_seconds,
            self.longest,
            histogram.dumps(self.run_buckets),
            histogram.dumps(self.lag_buckets),
        ]


def add(runs: Iterable[Ended], now: datetime, using: str) -> None:
    """Add the runs to their hours and days.

    In the transaction that counts them, which holds the lease: nobody else writes these rows.
    """
    by_hour: defaultdict[tuple[str, datetime], Figures] = defaultdict(Figures)
    for run in runs:
        at = (run.finished_at or run.due_at).astimezone(UTC)
        by_hour[run.job_id, at.replace(minute=0, second=0, microsecond=0)].count(run)
    figures: defaultdict[Key, Figures] = defaultdict(Figures)
    since = {span: now - kept for span, kept in kept_for().items()}
    for (job_id, hour), each in by_hour.items():
        for key in _keys(job_id, hour):
            if key[2] >= since[key[0]]:
                figures[key].add(each)
    _write(figures, using)


def kept_for() -> dict[str, timedelta]:
    """Return how long the rows of each span are kept."""
    long = timedelta(days=conf().KEEP_DAYS) + OUTLIVE
    return {Span.HOUR: long, Span.JOB_HOUR: HOURS_KEPT, Span.JOB_DAY: long}


def forget_old(now: datetime, using: str) -> int:
    """Delete rows that are older than they are kept, a batch of each span at most.

    Returns:
        How many.
    """
    deleted = 0
    for span, kept in kept_for().items():
        old = Trend.objects.using(using).filter(span=span, start__lt=now - kept)
        ids = list(old.order_by("start").values_list("id", flat=True)[:MAX_KEYS])
        deleted += Trend.objects.using(using).filter(id__in=ids).delete()[0]
    return deleted


def _keys(job_id: str, hour: datetime) -> tuple[Key, ...]:
    day = hour.replace(hour=0)
    return (Span.HOUR, "", hour), (Span.JOB_HOUR, job_id, hour), (Span.JOB_DAY, job_id, day)


def _write(figures: dict[Key, Figures], using: str) -> None:
    """Write the figures. Only the leader writes trends, so that reading first is safe."""
    trends = Trend.objects.using(using)
    changed: list[list[Any]] = []
    new = dict(figures)
    starts = {(span, start) for span, _, start in figures}
    for span, start in starts:
        job_ids = [key[1] for key in figures if key[0] == span and key[2] == start]
        for row in _rows(trends.filter(span=span, start=start), job_ids):
            total = Figures.of(row)
            total.add(new.pop((span, row.job_id, start)))
            changed.append([row.pk, *total.columns()])
    update_each(using, Trend, COLUMNS, changed)
    trends.bulk_create(
        Trend(
            span=span, job_id=job_id, start=start, **dict(zip(COLUMNS, each.columns(), strict=True))
        )
        for (span, job_id, start), each in new.items()
    )


def _rows(rows: Any, job_ids: list[str]) -> Iterable[Trend]:
    for first in range(0, len(job_ids), MAX_KEYS):
        yield from rows.filter(job_id__in=job_ids[first : first + MAX_KEYS])
