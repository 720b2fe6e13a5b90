"""A rectangle of the pictures that the admin draws: the timeline and the trends."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Box:
    """A rectangle of a picture; ``kind`` names its colour."""

    x: float
    y: float
    width: float
    height: float
    kind: str
