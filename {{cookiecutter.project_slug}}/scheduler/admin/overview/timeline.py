"""The last and the next 24 hours as a picture: where bars and marks lie. A template draws it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.utils import dateformat, timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from ... import formatting
from ...models.execution import Status
from ..display.box import Box
from .counts import HOURS, Hour
from .forecast import Planned
from .lanes import Lane, Stretch

LEFT, WIDTH, CHART = 48, 1100, 96
AXIS, LANE, NAME, MARK = 26, 32, 18, 10  # a lane is its name and, below it, its marks
TICK = 30  # half a label
MIN_MARK = 2.0
HOUR = timedelta(hours=1)
SPAN = 2 * HOURS * HOUR
LEGEND: dict[str, Any] = {
    **{status.value: status.label for status in Status},
    "problems": gettext_lazy("problems: failed, timed out, lost, missed"),
    "not_run": gettext_lazy("not run: skipped, cancelled"),
    "planned": pgettext_lazy("run", "planned"),
    "more": gettext_lazy("too many to draw one by one"),
}
WORDS: dict[str, Any] = {
    "succeeded": gettext_lazy("%(number)s succeeded"),
    "problems": gettext_lazy("%(number)s with problems"),
    "not_run": gettext_lazy("%(number)s not run"),
}


@dataclass(frozen=True)
class Bar:
    """One hour: its boxes, what they say in words and where they lead."""

    boxes: list[Box]
    title: str
    query: str = ""


@dataclass(frozen=True)
class Tick:
    x: float
    label: str

    @property
    def anchor(self) -> str:
        """Return the label's anchor: centred, but for the last one, which would stick out."""
        return "end" if self.x > WIDTH - TICK else "middle"


@dataclass(frozen=True)
class Line:
    """A job's lane as it is drawn: for each colour one path."""

    lane: Lane
    y: int
    paths: dict[str, str]

    @property
    def text_y(self) -> int:
        return self.y + NAME - 4


@dataclass(frozen=True)
class Scale:
    """Maps times to places."""

    start: datetime

    def x(self, at: datetime) -> float:
        """Return the horizontal place of a time."""
        share = (at - self.start) / SPAN
        return round(LEFT + (WIDTH - LEFT) * min(max(share, 0.0), 1.0), 1)


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
    left: int = LEFT
    highest: int = 1
    kinds: tuple[tuple[str, str], ...] = ()
    """What the colours of this picture stand for: class and word."""

    @property
    def height(self) -> int:
        return CHART + AXIS + LANE * len(self.lines)

    @property
    def axis_y(self) -> int:
        return CHART + 15

    @property
    def missing(self) -> int:
        """Return how many active jobs have runs that are not in the picture yet."""
        return self.planned.jobs - self.planned.counted


def draw(hours: Sequence[Hour], now: datetime, planned: Planned, lanes: Sequence[Lane]) -> Timeline:
    """Compute the picture."""
    scale = Scale(hours[0].start)
    highest = max([hour.total for hour in hours] + planned.runs[:HOURS]) or 1
    past = [_past(hour, scale, highest) for hour in hours if hour.total]
    coming = [
        _coming(hours[-1].start + n * HOUR, now, runs, scale, highest)
        for n, runs in enumerate(planned.runs[:HOURS])
        if round(runs)
    ]
    bars = [*past, *coming]
    lines = [_line(lane, CHART + AXIS + n * LANE, scale) for n, lane in enumerate(lanes)]
    return Timeline(
        bars=bars,
        ticks=_ticks(scale),
        lines=lines,
        now=scale.x(now),
        table=_table(hours, planned),
        planned=planned,
        highest=math.ceil(highest),
        kinds=_legend(bars, lines),
    )


def ended_between(start: datetime, end: datetime) -> str:
    """Return the query of the list of executions that ended between the two."""
    return urlencode({"from": start.isoformat(), "to": end.isoformat()})


def _past(hour: Hour, scale: Scale, highest: float) -> Bar:
    left, right = scale.x(hour.start) + 0.5, scale.x(hour.end) - 0.5
    boxes, top = [], float(CHART)
    for kind, count in hour.counts.items():
        if count.number:
            height = _height(count.number, highest)
            top -= height
            boxes.append(Box(left, round(top, 1), round(right - left, 1), height, kind))
    words = ", ".join(WORDS[kind] % {"number": count} for kind, count in hour.counts.items())
    return Bar(boxes, f"{_hour(hour.start)}: {words}", ended_between(hour.start, hour.end))


def _coming(start: datetime, now: datetime, runs: float, scale: Scale, highest: float) -> Bar:
    left = scale.x(max(start, now)) + 0.5
    width = max(scale.x(start + HOUR) - 0.5 - left, MIN_MARK)
    height = _height(runs, highest)
    box = Box(left, round(CHART - height, 1), round(width, 1), height, "planned")
    words = _("%(number)s planned") % {"number": formatting.number(round(runs))}
    return Bar([box], f"{_hour(max(start, now))}: {words}")


def _height(number: float, highest: float) -> float:
    return round(max(number / highest * (CHART - 4 * MIN_MARK), MIN_MARK), 1)


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
    width = max(scale.x(stretch.end) - left, MIN_MARK)
    return Box(left, y + NAME, round(width, 1), MARK, stretch.kind)


def _legend(bars: Sequence[Bar], lines: Sequence[Line]) -> tuple[tuple[str, str], ...]:
    drawn = {box.kind for bar in bars for box in bar.boxes}
    drawn.update(kind for line in lines for kind in line.paths)
    return tuple((kind, word) for kind, word in LEGEND.items() if kind in drawn)


def _table(hours: Sequence[Hour], planned: Planned) -> list[tuple[datetime, Hour | None, int]]:
    """Return the same figures to read: hour, what ran, what is planned."""
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
            label = dateformat.format(at, "D H:i" if at.hour == 0 else "H:i")
            ticks.append(Tick(scale.x(at), label))
    return ticks


def _hour(at: datetime) -> str:
    return _("from %(time)s") % {"time": formatting.absolute(at)}
