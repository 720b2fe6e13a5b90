"""What a list of executions was asked for, answered by keyset: never counted, never skipped over.

A page is the merge of bounded streams, one for each job and status asked for, because databases
walk an index in order only for a single value of its first columns.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import MAXYEAR, MINYEAR, UTC, datetime, timedelta
from functools import cached_property
from itertools import product
from typing import Any, Self
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime

from ...models import Change, Execution, Job
from ...models.change import Action
from ...models.execution import OPEN, Kind
from .. import capped
from ..display.outcomes import statuses
from .details import Details

SPANS = {
    "hour": timedelta(hours=1),
    "day": timedelta(days=1),
    "week": timedelta(days=7),
}
# More jobs than that are not read stream by stream, but by scanning the newest executions.
MAX_STREAMS = 20
MAX_JOBS = 1_000
# How many executions are searched where no index serves the filters.
MAX_SEARCHED, MAX_SEARCHED_OF_JOB = 50_000, 20_000
RESULT_ID = re.compile(r"[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}", re.IGNORECASE)
"""The id of a task's result, which all attempts share."""
NEVER = datetime.min.replace(tzinfo=UTC)
HEAVY = ("traceback", "log", "return_value")


@dataclass(frozen=True)
class Cursor:
    """A place between two rows of the list."""

    at: datetime | None
    pk: int

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """Read the cursor that ``str()`` wrote; None for anything else."""
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
    uid: UUID | None = None
    details: Details = field(default_factory=Details)
    more_jobs: bool = False
    """More than ``MAX_JOBS`` jobs match the search: the rest was not searched."""
    removed_from: int = 0
    """The oldest execution that was searched for removed jobs; 0: all were."""
    before: Cursor | None = None
    after: Cursor | None = None

    @classmethod
    def read(cls, params: Mapping[str, str], using: str, now: datetime) -> Self:
        """Read a query from the address's parameters; what makes no sense is passed over."""
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
            details=Details.read(params),
            before=Cursor.parse(params.get("before", "")),
            after=Cursor.parse(params.get("after", "")),
        )
        return asked.search(params.get("q", "").strip())

    def search(self, text: str) -> Self:
        """Return this query for a number, the id of a task's result, or a part of a job's name."""
        if not text:
            return self
        if text.lstrip("#").isdecimal() and len(text) < 19:
            return replace(self, pk=int(text.lstrip("#")))
        if RESULT_ID.fullmatch(text):
            return replace(self, uid=UUID(text))
        found = Job.objects.using(self.using).filter(
            Q(id__icontains=text) | Q(name__icontains=text)
        )
        if self.jobs is not None:
            found = found.filter(pk__in=self.jobs)
        living = list(found.values_list("pk", flat=True)[: MAX_JOBS + 1])
        rows = Execution.objects.using(self.using)
        newest = rows.order_by("-pk").values_list("pk", flat=True).first() or 0
        since = max(newest - MAX_SEARCHED_OF_JOB, 0)
        jobs = {text, *living[:MAX_JOBS], *self._jobs_since(since, text), *self._removed(text)}
        jobs = jobs.intersection(self.jobs or jobs)
        return replace(
            self,
            jobs=tuple(sorted(jobs)),
            more_jobs=len(living) > MAX_JOBS,
            removed_from=since and since + 1,
        )

    def _jobs_since(self, since: int, text: str) -> list[str]:
        """Return the ids of jobs in the newest executions that match, whether they still exist."""
        recent = Execution.objects.using(self.using).filter(pk__gt=since).order_by("-pk")
        match = Q(job_id__icontains=text) | Q(job_name__icontains=text)
        # Not DISTINCT, for which SQLite reads the whole index by job.
        ids = dict.fromkeys(recent.filter(match).values_list("job_id", flat=True))
        return list(ids)[:MAX_JOBS]

    def _removed(self, text: str) -> list[str]:
        """Return the ids of jobs whose removal is among the newest records of changes."""
        rows = Change.objects.using(self.using)
        newest = rows.order_by("-pk").values_list("pk", flat=True).first() or 0
        recent = rows.filter(pk__gt=newest - MAX_SEARCHED_OF_JOB, action=Action.REMOVED)
        found = recent.filter(job_id__icontains=text).order_by("-pk")
        return list(dict.fromkeys(found.values_list("job_id", flat=True)[:MAX_JOBS]))

    def queryset(self) -> QuerySet:
        """Return all rows asked for, for actions on a selection: place and order do not matter."""
        queryset = self._filtered()
        if self.jobs is not None:
            queryset = queryset.filter(job_id__in=self.jobs)
        return queryset.filter(status__in=self.status) if self.status else queryset

    def page(self, size: int) -> Page:
        """Read ``size`` rows at the place asked for, newest first."""
        key = (self.column, "pk") if self.column else ("pk",)
        keys = capped.tuples([stream[: size + 1] for stream in self._streams()], *key)
        keys.sort(reverse=self.after is None)
        more = len(keys) > size
        rows = self._rows([key[-1] for key in keys[:size]])
        shown = [row for row in rows if self.details.may_show(row)]
        if self.after:
            newer, older = more, True
        else:
            newer, older = self.before is not None, more
        return Page(
            shown,
            str(self._cursor(rows[0])) if rows and newer else None,
            str(self._cursor(rows[-1])) if rows and older else None,
        )

    @property
    def column(self) -> str:
        """Return the time that the list is ordered by, as its filters' index is; else ``id``."""
        dated = bool(self.since or self.until)
        if self.jobs or not (self.status or dated):
            return ""
        return "due_at" if not dated and set(self.status) <= set(OPEN) else "finished_at"

    @cached_property
    def window(self) -> int | None:
        """Return the oldest id looked at, where no index serves the filters; None: all are."""
        mixed = bool(self.status or self.since or self.until)
        ordered = Execution.objects.using(self.using).order_by("-pk").values_list("pk", flat=True)
        unindexed = bool(self.kind or self.details)
        jobs = self.jobs or ()
        if len(jobs) == 1 and (mixed or unindexed):
            return ordered.filter(job_id=jobs[0])[MAX_SEARCHED_OF_JOB:][:1].first()
        if unindexed or len(jobs) > MAX_STREAMS or (mixed and jobs):
            newest = ordered.first()
            return newest and max(newest - MAX_SEARCHED, 0)
        return None

    def _rows(self, pks: list[int]) -> list[Execution]:
        rows = Execution.objects.using(self.using).defer(*HEAVY).filter(pk__in=pks)
        return sorted(rows, key=self._key, reverse=True)

    def _streams(self) -> Iterable[QuerySet]:
        base = self._placed(self._looked_at(self._filtered()))
        jobs: tuple[str | None, ...]
        jobs = (None,) if self.jobs is None else self.jobs  # none at all: no stream
        if len(jobs) > MAX_STREAMS:
            base, jobs = base.filter(job_id__in=jobs), (None,)
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
        if self.uid is not None:
            queryset = queryset.filter(job_uid=self.uid)
        if self.pk is not None:
            queryset = queryset.filter(pk=self.pk)
        if self.kind:
            queryset = queryset.filter(kind=self.kind)
        if self.details:
            queryset = queryset.filter(self.details.condition(self.using))
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
    """Read a date or a time, of the current zone if it names none; None for anything else."""
    try:
        at = parse_datetime(text)
        if at is None and (day := parse_date(text)):
            at = datetime(day.year, day.month, day.day)  # noqa: DTZ001  (made aware below)
        if at is not None and timezone.is_naive(at):
            at = timezone.make_aware(at)
    except (ValueError, OverflowError):
        return None
    # On the clock of some zone or of the database the outermost years have no such moment.
    return at if at and MINYEAR < at.year < MAXYEAR else None
