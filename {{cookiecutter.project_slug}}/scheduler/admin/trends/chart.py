"""Charts as places of boxes, lines and words; ``includes/chart.html`` draws them as SVG."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from ... import formatting
from ..display.box import Box

WIDTH, HEIGHT = 600, 230
LEFT, RIGHT, TOP, BOTTOM = 74, 556, 14, 196
MAX_LABELS = 4
MIN_BOX = 1.5
STEPS = (1, 2, 5)
DURATIONS = (0.001, 0.01, 0.1, 1.0, 10.0, 60.0, 600.0, 3600.0, 36_000.0, 864_000.0, 8_640_000.0)
"""Seconds that the axis of durations may name."""


@dataclass(frozen=True)
class Tick:
    at: float
    label: str


@dataclass(frozen=True)
class Mark:
    """Boxes or a point that say something and lead somewhere."""

    title: str
    url: str
    boxes: Sequence[Box] = ()
    x: float = 0.0
    y: float = 0.0


@dataclass(frozen=True)
class Line:
    """A line through the points of a series; a gap in the series is a gap in the line."""

    kind: str
    path: str
    points: Sequence[Mark]


@dataclass(frozen=True)
class Limit:
    """A line across the chart, such as a job's timeout."""

    kind: str
    label: str
    y: float


@dataclass(frozen=True)
class Event:
    """A moment that is marked from top to bottom, such as a take-over."""

    x: float
    title: str


@dataclass(frozen=True)
class Row:
    """One row of the table beside a chart."""

    label: str
    url: str
    cells: Sequence[Any]


@dataclass
class Chart:
    """One chart with all its words."""

    name: str
    """Begins the ids of its elements."""
    title: str
    description: str
    unit: str
    heads: Sequence[str]
    """Of the table's columns."""
    rows: Sequence[Row]
    legend: Sequence[tuple[str, str]]
    """Class and word."""
    x_ticks: Sequence[Tick] = ()
    y_ticks: Sequence[Tick] = ()
    bars: list[Mark] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    limits: list[Limit] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = RIGHT
    top: int = TOP
    bottom: int = BOTTOM

    @property
    def labels_y(self) -> int:
        """Return where the words below the axis stand."""
        return BOTTOM + 20


@dataclass(frozen=True)
class Columns:
    """Places side by side, one for each hour, day or run."""

    number: int

    @property
    def width(self) -> float:
        return (RIGHT - LEFT) / max(self.number, 1)

    def left(self, column: int) -> float:
        return LEFT + column * self.width

    def middle(self, column: float) -> float:
        return round(LEFT + (column + 0.5) * self.width, 1)

    def ticks(self, labels: Sequence[str]) -> list[Tick]:
        """Return labels for so many columns that they do not touch; the last one has one."""
        every = -(-len(labels) // MAX_LABELS)
        return [
            Tick(self.middle(column), label)
            for column, label in enumerate(labels)
            if (len(labels) - 1 - column) % every == 0
        ]


@dataclass(frozen=True)
class Linear:
    """A scale of whole numbers from zero."""

    highest: int

    @property
    def step(self) -> int:
        wanted = max(self.highest, 1) / 4
        power = 10 ** max(math.floor(math.log10(wanted)), 0)
        return next(n * power for n in (*STEPS, 10) if n * power >= wanted)

    @property
    def end(self) -> int:
        return -(-max(self.highest, 1) // self.step) * self.step

    def y(self, number: float) -> float:
        return round(BOTTOM - (BOTTOM - TOP) * number / self.end, 1)

    def ticks(self) -> list[Tick]:
        return [Tick(self.y(n), formatting.number(n)) for n in range(0, self.end + 1, self.step)]


@dataclass(frozen=True)
class Logarithmic:
    """A scale of durations, for milliseconds and hours in one chart."""

    lowest: float
    highest: float

    @classmethod
    def around(cls, seconds: Iterable[float | None]) -> Logarithmic:
        """Return the scale that holds these durations."""
        known = [max(each, DURATIONS[0]) for each in seconds if each is not None] or [1.0]
        lowest = max(each for each in DURATIONS[:-1] if each <= min(known))
        above = [each for each in DURATIONS if each >= max(known) and each > lowest]
        return cls(lowest, min(above, default=DURATIONS[-1]))

    def y(self, seconds: float) -> float:
        share = math.log(max(seconds, self.lowest) / self.lowest) / math.log(
            self.highest / self.lowest
        )
        return round(BOTTOM - (BOTTOM - TOP) * min(share, 1.0), 1)

    def ticks(self) -> list[Tick]:
        inside = [each for each in DURATIONS if self.lowest <= each <= self.highest]
        return [Tick(self.y(each), formatting.whole_duration(each)) for each in inside]


def stack(
    columns: Columns, column: int, scale: Linear, numbers: dict[str, int], title: str, url: str
) -> Mark:
    """Return the boxes of one column, one upon the other."""
    boxes, below = [], 0
    for kind, number in numbers.items():
        if number:
            top, bottom = scale.y(below + number), scale.y(below)
            height = max(bottom - top, MIN_BOX)
            left = columns.left(column) + columns.width * 0.08
            width = max(columns.width * 0.84, MIN_BOX)
            boxes.append(
                Box(
                    round(left, 1),
                    round(bottom - height, 1),
                    round(width, 1),
                    round(height, 1),
                    kind,
                )
            )
            below += number
    return Mark(title, url, boxes)


def line(kind: str, points: Sequence[Mark | None]) -> Line:
    """Return a line through the points; None: nothing was measured there."""
    path, gap = [], True
    for point in points:
        if point is not None:
            path.append(f"{'M' if gap else 'L'}{point.x} {point.y}")
        gap = point is None
    return Line(kind, "".join(path), [point for point in points if point is not None])
