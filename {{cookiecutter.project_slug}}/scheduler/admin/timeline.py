"""The last and the next 24 hours as a picture: where bars and marks lie. A template draws it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode

from . import times
from .tally import HOURS, Hour

LABELS, WIDTH, CHART = 150, 960, 96
AXIS = 22
LEAST = 3.0
SPAN = timedelta(hours=2 * HOURS)
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
    now: float
    hours: Sequence[Hour]
    width: int = WIDTH
    chart: int = CHART
    left: int = LABELS

    @property
    def height(self) -> int:
        return CHART + AXIS

    @property
    def axis_y(self) -> int:
        return CHART + 15


def draw(hours: Sequence[Hour], now: datetime) -> Timeline:
    scale = Scale(hours[0].start)
    highest = max((hour.total for hour in hours), default=0) or 1
    return Timeline(
        bars=[_past(hour, scale, highest) for hour in hours if hour.total],
        ticks=_ticks(scale),
        now=scale.x(now),
        hours=hours,
    )


def _past(hour: Hour, scale: Scale, highest: int) -> Bar:
    left, right = scale.x(hour.start) + 0.5, scale.x(hour.end) - 0.5
    boxes, top = [], float(CHART)
    for kind, count in hour.counts.items():
        if count.number:
            height = round(max(count.number / highest * (CHART - 4 * LEAST), LEAST), 1)
            top -= height
            boxes.append(Box(left, round(top, 1), round(right - left, 1), height, kind))
    words = ", ".join(f"{count} {WORDS[kind]}" for kind, count in hour.counts.items())
    return Bar(boxes, f"{_clock(hour.start)} to {_clock(hour.end)}: {words}", link(hour))


def link(hour: Hour) -> str:
    """The list of executions that ended within the hour."""
    query = urlencode({"from": hour.start.isoformat(), "to": hour.end.isoformat()})
    return f"{reverse('admin:scheduler_execution_changelist')}?{query}"


def _ticks(scale: Scale, every: int = 6) -> list[Tick]:
    ticks = []
    for back in range(2 * HOURS + 1):
        at = timezone.localtime(scale.start + timedelta(hours=back))
        if at.hour % every == 0:
            label = f"{at:%a %H:%M}" if at.hour == 0 else f"{at:%H:%M}"
            ticks.append(Tick(scale.x(at), label))
    return ticks


def _clock(at: datetime) -> str:
    return times.absolute(at)
