"""Where a zone's wall clock jumps, and what a pattern of wall times means across the jump.

A wall time is a naive datetime. Most name one instant. A *gap* (clock put forward) holds wall
times that never happen; a *fold* (clock put back) holds wall times that happen twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Protocol

from ..datetimes import SECOND


class WallTimes(Protocol):
    def next(self, wall: datetime) -> datetime | None:
        """Return the first wall time of the pattern at or after ``wall``."""


@dataclass(frozen=True, slots=True)
class Shift:
    """One change of a zone's offset, at the UTC instant ``at``."""

    at: datetime
    before: timedelta
    after: timedelta

    @property
    def is_gap(self) -> bool:
        """Return whether wall times are missing, rather than repeated."""
        return self.before < self.after

    @property
    def start(self) -> datetime:
        """Return the first wall time that is missing or repeated."""
        return (self.at + min(self.before, self.after)).replace(tzinfo=None)

    @property
    def end(self) -> datetime:
        """Return the first wall time after those that are missing or repeated."""
        return (self.at + max(self.before, self.after)).replace(tzinfo=None)


def shift_at(wall: datetime, zone: tzinfo) -> Shift | None:
    """Return the shift that makes ``wall`` missing or repeated in ``zone``; else None."""
    before = _offset(wall.replace(tzinfo=zone))
    after = _offset(wall.replace(tzinfo=zone, fold=1))
    if before == after:
        return None
    early, late = sorted((_instant(wall, before), _instant(wall, after)))
    while late - early > SECOND:
        middle = early + timedelta(seconds=(late - early) // SECOND // 2)
        if _offset(middle.astimezone(zone)) == before:
            early = middle
        else:
            late = middle
    return Shift(late, before, after)


def first_instant(
    times: WallTimes, zone: tzinfo, floor: datetime, *, gap: str, fold: str
) -> datetime | None:
    """Return the first instant at or after ``floor`` (UTC, whole seconds) when ``times`` are due.

    ``gap="next"`` runs what falls into a gap once, at the gap's end; ``"skip"`` drops it.
    ``fold="first"`` runs a repeated wall time the first time; ``"both"`` runs it both times.
    """
    local = floor.astimezone(zone)
    wall = local.replace(tzinfo=None, fold=0)
    if zone.utcoffset(None) is not None:  # a fixed offset
        match = times.next(wall)
        return _instant(match, _offset(local)) if match else None
    if gap == "next" and _owed_by_gap_ending(floor, local, times):
        return floor
    if local.fold or fold == "both":
        shift = shift_at(wall, zone)
        if shift and local.fold and fold == "first":
            wall = shift.end
        elif shift and not local.fold and (again := _second_pass(wall, shift, times)):
            return again
    return _resolve(times.next(wall), times, zone, floor, gap)


def _owed_by_gap_ending(floor: datetime, local: datetime, times: WallTimes) -> bool:
    before = _offset((floor - SECOND).astimezone(local.tzinfo))
    if before >= _offset(local):
        return False
    match = times.next((floor + before).replace(tzinfo=None))
    return match is not None and match < local.replace(tzinfo=None)


def _second_pass(wall: datetime, fold: Shift, times: WallTimes) -> datetime | None:
    """Return the answer after ``wall`` in the first pass, if only the second pass holds one."""
    match = times.next(wall)
    if match and match < fold.end:
        return None
    again = times.next(fold.start)
    return _instant(again, fold.after) if again and again < fold.end else None


def _resolve(
    match: datetime | None, times: WallTimes, zone: tzinfo, floor: datetime, gap: str
) -> datetime | None:
    while match:
        shift = shift_at(match, zone)
        if shift is None:
            return _instant(match, _offset(match.replace(tzinfo=zone)))
        if not shift.is_gap:
            first = _instant(match, shift.before)
            return first if first >= floor else _instant(match, shift.after)
        if gap == "next":
            return shift.at
        match = times.next(shift.end)
    return None


def _offset(aware: datetime) -> timedelta:
    return aware.utcoffset() or timedelta()


def _instant(wall: datetime, offset: timedelta) -> datetime:
    return wall.replace(tzinfo=UTC) - offset
