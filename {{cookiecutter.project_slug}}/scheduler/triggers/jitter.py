from __future__ import annotations

import random
from datetime import datetime, timedelta, tzinfo

from .moments import utc


def delayed(
    instant: datetime, jitter: float | None, zone: tzinfo | None, end: datetime | None = None
) -> datetime:
    """``instant`` in ``zone``, up to ``jitter`` seconds later at random, never after ``end``.

    Adds in UTC: an addition on the wall clock would be an hour off across a change.
    """
    late = utc(instant)
    if jitter:
        late += timedelta(seconds=random.uniform(0, jitter))
        late = min(late, utc(end)) if end else late
    return late.astimezone(zone)
