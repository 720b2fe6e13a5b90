"""What trends say, read from their rows, which are as many as hours, days and jobs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from django.db.models import QuerySet, Sum
from django.utils.translation import gettext as _

from ...engine.maintenance import histogram
from ...engine.maintenance.trends import Figures
from ...models import Job, TallyMark, Term, Trend
from ...models.execution import FINAL, PROBLEMS, TASK_PREFIX
from ...models.term import Cause
from ...models.trend import Span
from ..display.outcomes import NOT_RUN
from .periods import Bin, Period, index

MAX_JOBS = 10
"""Jobs that each ranking names."""
MAX_TAKEOVERS = 50
COUNTED_WITHIN = timedelta(minutes=3)
"""A run is counted about a minute after it ended; later than that, the page says so."""


def by_bin(rows: QuerySet[Trend], bins: Sequence[Bin]) -> list[Figures]:
    """Return the figures of each bin."""
    found = [Figures() for _ in bins]
    if not bins:
        return found
    for row in rows.filter(start__gte=bins[0].start, start__lt=bins[-1].end):
        place = index(bins, row.start)
        if place is not None:
            found[place].add(Figures.of(row))
    return found


def rows_of_all(using: str) -> QuerySet[Trend]:
    """Return the rows of all jobs together, by hour."""
    return Trend.objects.using(using).filter(span=Span.HOUR, job_id="")


def rows_of_job(job_id: str, period: Period, using: str) -> QuerySet[Trend]:
    """Return the rows of one job, by hour or by day as the period is cut."""
    return Trend.objects.using(using).filter(span=_span(period), job_id=job_id)


@dataclass(frozen=True)
class Ranked:
    """A job in a ranking."""

    job_id: str
    name: str
    number: int
    """Of the runs that the ranking is about."""
    ended: int
    """Of all, those that were not run among them."""
    median: float | None = None
    p95: float | None = None
    longest: float = 0.0
    """Durations in seconds."""

    @property
    def share(self) -> float:
        """Return how many of a hundred."""
        return 100 * self.number / self.ended


@dataclass(frozen=True)
class Rankings:
    """The slowest jobs, those with most problems, and those that were not run most often."""

    slowest: list[Ranked] = field(default_factory=list)
    problems: list[Ranked] = field(default_factory=list)
    not_run: list[Ranked] = field(default_factory=list)


def rankings(period: Period, since: datetime, using: str) -> Rankings:
    """Return the rankings of a period.

    Args:
        since: the start of its first hour or day.
    """
    rows = Trend.objects.using(using).filter(span=_span(period), start__gte=since).order_by()
    columns = (*FINAL, "ran", "run_seconds")
    sums: dict[str, Any] = {
        row["job_id"]: row
        for row in rows.values("job_id").annotate(**{f"sum_{c}": Sum(c) for c in columns})
    }
    slowest = _first(sums, lambda row: row["sum_run_seconds"] / (row["sum_ran"] or 1))
    problems = _first(sums, lambda row: _number(row, PROBLEMS))
    not_run = _first(sums, lambda row: _number(row, NOT_RUN))
    names = _names({*slowest, *problems, *not_run}, using)
    durations = _durations(rows.filter(job_id__in=slowest))

    def ranked(job_id: str, outcomes: Iterable[str]) -> Ranked:
        row = sums[job_id]
        return Ranked(job_id, names[job_id], _number(row, outcomes), _number(row, FINAL))

    return Rankings(
        [_with_durations(ranked(job_id, FINAL), durations[job_id]) for job_id in slowest],
        [ranked(job_id, PROBLEMS) for job_id in problems],
        [ranked(job_id, NOT_RUN) for job_id in not_run],
    )


def takeovers(since: datetime, using: str) -> list[Term]:
    """Return the terms that began since, the newest first; not a cluster's very first one."""
    terms = Term.objects.using(using).filter(acquired_at__gte=since).exclude(cause=Cause.FIRST)
    return list(terms.order_by("-acquired_at")[:MAX_TAKEOVERS])


def behind_since(now: datetime, using: str) -> datetime | None:
    """Return up to when everything is counted, if that is longer ago than it should be."""
    marks = TallyMark.objects.using(using).filter(pk=1)
    at = marks.values_list("complete_at", flat=True).first()
    return at if at is not None and at < now - COUNTED_WITHIN else None


def _span(period: Period) -> Span:
    return Span.JOB_HOUR if period.by_hour else Span.JOB_DAY


def _number(row: dict[str, Any], outcomes: Iterable[str]) -> int:
    return sum(row[f"sum_{status}"] for status in outcomes)


def _first(sums: dict[str, Any], key: Callable[[dict[str, Any]], float]) -> list[str]:
    ordered = sorted(sums, key=lambda job_id: (-key(sums[job_id]), job_id))
    return [job_id for job_id in ordered[:MAX_JOBS] if key(sums[job_id]) > 0]


def _durations(rows: QuerySet[Trend]) -> defaultdict[str, Figures]:
    found: defaultdict[str, Figures] = defaultdict(Figures)
    for job_id, buckets, longest in rows.values_list("job_id", "run_buckets", "longest"):
        found[job_id].run_buckets.update(histogram.loads(buckets))
        found[job_id].longest = max(found[job_id].longest, longest)
    return found


def _with_durations(job: Ranked, durations: Figures) -> Ranked:
    median, p95 = (percentile(durations, share) for share in (0.5, 0.95))
    return replace(job, median=median, p95=p95, longest=durations.longest)


def percentile(figures: Figures, share: float) -> float | None:
    """Return a percentile of the durations, never more than the longest one."""
    found = histogram.percentile(figures.run_buckets, share)
    return None if found is None else min(found, figures.longest)


def _names(job_ids: set[str], using: str) -> dict[str, str]:
    jobs = Job.objects.using(using).in_bulk(list(job_ids))
    return {job_id: name_of(job_id, jobs.get(job_id)) for job_id in job_ids}


def name_of(job_id: str, job: Job | None) -> str:
    """Return what a page calls a job, a task, or all one-off jobs together."""
    if not job_id:
        return _("one-off jobs, all together")
    return str(job) if job else job_id.removeprefix(TASK_PREFIX)
