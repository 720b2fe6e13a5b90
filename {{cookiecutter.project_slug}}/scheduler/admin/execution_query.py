"""What a list of executions was asked for, answered by keyset: never counted, never skipped over.

A page is the merge of bounded streams, one for each job and status asked for, because databases
walk an index in order only for a single value of its first columns.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import MAXYEAR, MINYEAR, UTC, datetime, timedelta
from functools import cached_property
from itertools import product
from typing import Any, Self

from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime

from ..models import Execution, Job
from ..models.execution import OPEN, Kind
from . import bounded
from .outcomes import statuses

SPANS = {
    "hour": timedelta(hours=1),
    "day": timedelta(days=1),
    "week": timedelta(days=7),
}
MOST_JOBS = 20
# Executions looked at where no index leads to those asked for.
LOOKED_AT, LOOKED_AT_OF_JOB = 50_000, 20_000
NEVER = datetime.min.replace(tzinfo=UTC)
HEAVY = ("traceback", "log", "return_value")


@dataclass(frozen=True)
class Cursor:
    """A place between two rows of the list."""

    at: datetime | None
    pk: int

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """The cursor that ``str()`` wrote; None for anything else."""
        micros, _, pk = text.partition("_")
        try:
            at = datetime.fromtimestamp(int(micros) / 1e6, timezone.get_default_timezone())
            return cls(at if int(micros) else None, int(pk))
        except (ValueError, OverflowError, OSError):
            return None

    def __str__(self) -> str:
        micros = round(self.at.timestamp() * 1e6) if self.at else 0
        return f"{micros}_{self.pk}"


@dataclass(frozen=True)
class Page:
    rows: list[Execution]
    newer: str | None
    older: str | None


@dataclass(frozen=True)
class ExecutionQuery:
    """Filters and place, as the address of the page names them."""

    using: str
    jobs: tuple[str, ...] | None = None
    status: tuple[str, ...] = ()
    kind: str = ""
    since: datetime | None = None
    until: datetime | None = None
    pk: int | None = None
    before: Cursor | None = None
    after: Cursor | None = None

    @classmethod
    def read(cls, params: Mapping[str, str], using: str, now: datetime) -> Self:
        """From query parameters; what makes no sense is passed over."""
        # No database takes this character in a text.
        params = {name: text.replace("\0", "") for name, text in params.items()}
        span = SPANS.get(params.get("when", ""))
        since = now - span if span else moment(params.get("from", ""))
        asked = cls(
            using=using,
            jobs=(params["job"],) if params.get("job") else None,
            status=statuses(params.get("status", "")),
            kind=params.get("kind", "") if params.get("kind", "") in Kind.values else "",
            since=since,
            until=moment(params.get("to", "")),
            before=Cursor.parse(params.get("before", "")),
            after=Cursor.parse(params.get("after", "")),
        )
        return asked.search(params.get("q", "").strip())

    def search(self, text: str) -> Self:
        """A number is an execution, anything else a part of a job's id or name."""
        if not text:
            return self
        if text.lstrip("#").isdecimal() and len(text) < 19:
            return replace(self, pk=int(text.lstrip("#")))
        found = Job.objects.using(self.using).filter(
            Q(id__icontains=text) | Q(name__icontains=text)
        )
        if self.jobs is not None:
            found = found.filter(pk__in=self.jobs)
        jobs = {text, *found.values_list("pk", flat=True)[:MOST_JOBS]}
        return replace(self, jobs=tuple(sorted(jobs.intersection(self.jobs or jobs))))

    def queryset(self) -> QuerySet:
        """All rows asked for, for actions on a selection: place and order do not matter."""
        queryset = self._filtered()
        if self.jobs is not None:
            queryset = queryset.filter(job_id__in=self.jobs)
        return queryset.filter(status__in=self.status) if self.status else queryset

    def page(self, size: int) -> Page:
        """``size`` rows at the place asked for, newest first."""
        key = (self.column, "pk") if self.column else ("pk",)
        keys = bounded.tuples([stream[: size + 1] for stream in self._streams()], *key)
        keys.sort(reverse=self.after is None)
        more = len(keys) > size
        rows = self._rows([key[-1] for key in keys[:size]])
        if self.after:
            newer, older = more, True
        else:
            newer, older = self.before is not None, more
        return Page(
            rows,
            str(self._cursor(rows[0])) if rows and newer else None,
            str(self._cursor(rows[-1])) if rows and older else None,
        )

    @property
    def column(self) -> str:
        """The time that the list is ordered by, as the index of its filters is; else by number."""
        dated = bool(self.since or self.until)
        if self.jobs or not (self.status or dated):
            return ""
        return "due_at" if not dated and set(self.status) <= set(OPEN) else "finished_at"

    @cached_property
    def window(self) -> int | None:
        """The oldest execution looked at, where no index serves the filters; None: all are."""
        mixed = bool(self.status or self.since or self.until)
        ordered = Execution.objects.using(self.using).order_by("-pk").values_list("pk", flat=True)
        if self.kind or (mixed and len(self.jobs or ()) > 1):
            newest = ordered.first()
            return newest and max(newest - LOOKED_AT, 0)
        if mixed and self.jobs:
            return ordered.filter(job_id=self.jobs[0])[LOOKED_AT_OF_JOB:][:1].first()
        return None

    def _rows(self, pks: list[int]) -> list[Execution]:
        rows = Execution.objects.using(self.using).defer(*HEAVY).filter(pk__in=pks)
        return sorted(rows, key=self._key, reverse=True)

    def _streams(self) -> Iterable[QuerySet]:
        base = self._placed(self._looked_at(self._filtered()))
        jobs = (None,) if self.jobs is None else self.jobs  # none at all: no stream
        for job_id, status in product(jobs, self.status or (None,)):
            stream = base
            if job_id is not None:
                stream = stream.filter(job_id=job_id)
            if status is not None:
                stream = stream.filter(status=status)
            yield stream

    def _looked_at(self, queryset: QuerySet) -> QuerySet:
        if not self.window:
            return queryset
        if self.column == "finished_at":
            oldest = Execution.objects.using(self.using).filter(pk__gte=self.window)
            since = oldest.order_by("pk").values_list("queued_at", flat=True).first()
            queryset = queryset.filter(finished_at__gte=since)
        return queryset.filter(pk__gte=self.window)

    def _filtered(self) -> QuerySet:
        queryset = Execution.objects.using(self.using)
        if self.pk is not None:
            queryset = queryset.filter(pk=self.pk)
        if self.kind:
            queryset = queryset.filter(kind=self.kind)
        if self.since:
            queryset = queryset.filter(finished_at__gte=self.since)
        if self.until:
            queryset = queryset.filter(finished_at__lt=self.until)
        return queryset

    def _placed(self, queryset: QuerySet) -> QuerySet:
        place = self.after or self.before
        if not self.column:
            if place:
                beyond = {"pk__gt": place.pk} if self.after else {"pk__lt": place.pk}
                queryset = queryset.filter(**beyond)
            return queryset.order_by("pk" if self.after else "-pk")
        queryset = queryset.filter(**{f"{self.column}__isnull": False})
        if place and place.at:
            queryset = queryset.filter(_beyond(place, self.column, "gt" if self.after else "lt"))
        sign = "" if self.after else "-"
        return queryset.order_by(f"{sign}{self.column}", f"{sign}pk")

    def _cursor(self, execution: Execution) -> Cursor:
        return Cursor(getattr(execution, self.column) if self.column else None, execution.pk)

    def _key(self, execution: Execution) -> Any:
        if not self.column:
            return execution.pk
        return (getattr(execution, self.column) or NEVER, execution.pk)


def _beyond(place: Cursor, column: str, way: str) -> Q:
    # The first condition is implied by the second, but is the one an index can use.
    bound = Q(**{f"{column}__{way}e": place.at})
    tie = Q(**{column: place.at, f"pk__{way}": place.pk})
    return bound & (Q(**{f"{column}__{way}": place.at}) | tie)


def moment(text: str) -> datetime | None:
    """A date or a time, of the current zone if it names none; None for anything else."""
    try:
        at = parse_datetime(text)
        if at is None and (day := parse_date(text)):
            at = datetime(day.year, day.month, day.day)
        if at is not None and timezone.is_naive(at):
            at = timezone.make_aware(at)
    except (ValueError, OverflowError):
        return None
    # On the clock of some zone or of the database the outermost years have no such moment.
    return at if at and MINYEAR < at.year < MAXYEAR else None
