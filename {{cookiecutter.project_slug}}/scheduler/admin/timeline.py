"""The last and the next 24 hours as a picture: where bars and marks lie. A template draws it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode

from . import times
from .lanes import Lane, Stretch
from .planned import Planned
from .tally import HOURS, Hour

LABELS, WIDTH, CHART = 170, 1100, 96
AXIS, LANE, MARK = 22, 18, 12
TICK = 30  # half a label
LEAST = 2.0
HOUR = timedelta(hours=1)
SPAN = 2 * HOURS * HOUR
WORDS = {"succeeded": "succeeded", "problems": "with problems", "not_run": "not run"}


@dataclass(frozen=True)
class Box:
    """A rectangle of the picture; ``kind`` names its colour."""

    x: float
    y: float
    width: float
    height: float
    kind: str


@dataclass(frozen=True)
class Bar:
    """One hour: its boxes, what they say in words and where they lead."""

    boxes: list[Box]
    title: str
    href: str = ""


@dataclass(frozen=True)
class Tick:
    x: float
    label: str

    @property
    def anchor(self) -> str:
        """Centred, but for the last one, which would stick out."""
        return "end" if self.x > WIDTH - TICK else "middle"


@dataclass(frozen=True)
class Line:
    """A job's lane as it is drawn: for each colour one path."""

    lane: Lane
    y: int
    paths: dict[str, str]

    @property
    def text_y(self) -> int:
        return self.y + MARK - 2


@dataclass(frozen=True)
class Scale:
    """From time to place."""

    start: datetime

    def x(self, at: datetime) -> float:
        share = (at - self.start) / SPAN
        return round(LABELS + (WIDTH - LABELS) * min(max(share, 0.0), 1.0), 1)


@dataclass(frozen=True)
class Timeline:
    bars: list[Bar]
    ticks: list[Tick]
    lines: list[Line]
    now: float
    table: list[tuple[datetime, Hour | None, int]]
    planned: Planned
    width: int = WIDTH
    chart: int = CHART
    left: int = LABELS

    @property
    def height(self) -> int:
        return CHART + AXIS + LANE * len(self.lines)

    @property
    def axis_y(self) -> int:
        return CHART + 15

    @property
    def missing(self) -> int:
        """Active jobs whose runs are not in the picture yet."""
        return self.planned.jobs - self.planned.counted


def draw(hours: Sequence[Hour], now: datetime, planned: Planned, lanes: Sequence[Lane]) -> Timeline:
    scale = Scale(hours[0].start)
    highest = max([hour.total for hour in hours] + planned.runs[:HOURS]) or 1
    past = [_past(hour, scale, highest) for hour in hours if hour.total]
    coming = [
        _coming(hours[-1].start + n * HOUR, now, runs, scale, highest)
        for n, runs in enumerate(planned.runs[:HOURS])
        if round(runs)
    ]
    return Timeline(
        bars=[*past, *coming],
        ticks=_ticks(scale),
        lines=[_line(lane, CHART + AXIS + n * LANE, scale) for n, lane in enumerate(lanes)],
        now=scale.x(now),
        table=_table(hours, planned),
        planned=planned,
    )


def link(start: datetime, end: datetime) -> str:
    """The list of executions that ended between the two."""
    query = urlencode({"from": start.isoformat(), "to": end.isoformat()})
    return f"{reverse('admin:scheduler_execution_changelist')}?{query}"


def _past(hour: Hour, scale: Scale, highest: float) -> Bar:
    left, right = scale.x(hour.start) + 0.5, scale.x(hour.end) - 0.5
    boxes, top = [], float(CHART)
    for kind, count in hour.counts.items():
        if count.number:
            height = _height(count.number, highest)
            top -= height
            boxes.append(Box(left, round(top, 1), round(right - left, 1), height, kind))
    words = ", ".join(f"{count} {WORDS[kind]}" for kind, count in hour.counts.items())
    return Bar(boxes, f"{_hour(hour.start)}: {words}", link(hour.start, hour.end))


def _coming(start: datetime, now: datetime, runs: float, scale: Scale, highest: float) -> Bar:
    left = scale.x(max(start, now)) + 0.5
    width = max(scale.x(start + HOUR) - 0.5 - left, LEAST)
    height = _height(runs, highest)
    box = Box(left, round(CHART - height, 1), round(width, 1), height, "planned")
    return Bar([box], f"{_hour(max(start, now))}: {round(runs):,} planned")


def _height(number: float, highest: float) -> float:
    return round(max(number / highest * (CHART - 4 * LEAST), LEAST), 1)


def _line(lane: Lane, y: int, scale: Scale) -> Line:
    boxes: list[Box] = []
    for stretch in lane.stretches:
        box = _mark(stretch, y, scale)
        last = boxes[-1] if boxes else None
        if last and last.kind == box.kind and box.x <= last.x + last.width + 0.5:
            width = max(last.width, round(box.x + box.width - last.x, 1))
            boxes[-1] = Box(last.x, last.y, width, last.height, last.kind)
        else:
            boxes.append(box)
    paths: dict[str, str] = {}
    for box in boxes:
        path = f"M{box.x} {box.y}h{box.width}v{MARK}h-{box.width}z"
        paths[box.kind] = paths.get(box.kind, "") + path
    return Line(lane, y, paths)


def _mark(stretch: Stretch, y: int, scale: Scale) -> Box:
    left = scale.x(stretch.start)
    width = max(scale.x(stretch.end) - left, LEAST)
    return Box(left, y, round(width, 1), MARK, stretch.kind)


def _table(hours: Sequence[Hour], planned: Planned) -> list[tuple[datetime, Hour | None, int]]:
    """The same figures to read: hour, what ran, what is planned."""
    rows: list[tuple[datetime, Hour | None, int]] = [(hour.start, hour, 0) for hour in hours[:-1]]
    last = hours[-1]
    rows.append((last.start, last, round(planned.runs[0])))
    for n, runs in enumerate(planned.runs[1:HOURS], start=1):
        rows.append((last.start + n * HOUR, None, round(runs)))
    return [row for row in rows if row[2] or (row[1] and row[1].total)]


def _ticks(scale: Scale, every: int = 6) -> list[Tick]:
    ticks = []
    for ahead in range(2 * HOURS + 1):
        at = timezone.localtime(scale.start + ahead * HOUR)
        if at.hour % every == 0:
            label = f"{at:%a %H:%M}" if at.hour == 0 else f"{at:%H:%M}"
            ticks.append(Tick(scale.x(at), label))
    return ticks


def _hour(at: datetime) -> str:
    return f"from {times.absolute(at)}"
