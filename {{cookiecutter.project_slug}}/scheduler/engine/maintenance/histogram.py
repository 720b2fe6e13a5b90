"""Durations counted in buckets, four to each doubling: a percentile is right to about a tenth."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Mapping

A_DOUBLING = 4
FIRST, LAST = -40, 84
"""Buckets that end at 1 ms and at 24 days; what is shorter or longer is counted in them."""

Buckets = Counter[int]
"""Number of runs by bucket."""


def bucket(seconds: float) -> int:
    """Return the bucket of a duration: the first one that ends at or above it."""
    if seconds <= 0:
        return FIRST
    return min(max(math.ceil(A_DOUBLING * math.log2(seconds)), FIRST), LAST)


def end(number: int) -> float:
    """Return where a bucket ends, in seconds."""
    return float(2.0 ** (number / A_DOUBLING))


def percentile(buckets: Mapping[int, int], share: float) -> float | None:
    """Return the duration that ``share`` of the runs did not exceed, in seconds; None: no run.

    Within a bucket the runs are taken as evenly spread.
    """
    rank, below = share * sum(buckets.values()), 0
    for number in sorted(buckets):
        below += buckets[number]
        if below and below >= rank:
            inside = 1 - (below - rank) / buckets[number]
            return end(number - 1) * (end(number) / end(number - 1)) ** inside
    return None


def dumps(buckets: Mapping[int, int]) -> str:
    """Return the buckets as JSON."""
    return json.dumps(dict(sorted(buckets.items())), separators=(",", ":"))


def loads(text: str) -> Buckets:
    """Return the buckets that ``dumps`` wrote."""
    return Counter({int(number): runs for number, runs in json.loads(text).items()})
