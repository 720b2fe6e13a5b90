"""Was each owed run of a one-second job recorded exactly once? The history alone decides."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

SECOND = timedelta(seconds=1)


@dataclass(frozen=True)
class Verdict:
    """What the history says of the slots that were owed."""

    owed: int
    outcomes: Counter[str]
    twice: list[datetime]
    absent: list[datetime]
    strange: list[datetime]

    @property
    def exact(self) -> bool:
        return not (self.twice or self.absent or self.strange)


def judge(rows: Iterable[dict[str, Any]], first: datetime, until: datetime) -> Verdict:
    """Compare rows of the execution model with the slots owed from `first` up to `until`.

    A row that stands for a stretch of slots counts for each of them; a retry counts for none,
    since the first attempt at its slot does.
    """
    owed = [first + number * SECOND for number in range((until - first) // SECOND + 1)]
    outcomes: Counter[str] = Counter()
    recorded: Counter[datetime] = Counter()
    for row in rows:
        slots = slots_of(row, until)
        recorded.update(slots)
        outcomes[row["status"]] += len(slots)
    return Verdict(
        owed=len(owed),
        outcomes=+outcomes,  # no status that only younger rows have
        twice=sorted(slot for slot, times in recorded.items() if times > 1),
        absent=[slot for slot in owed if slot not in recorded],
        strange=sorted(recorded.keys() - set(owed)),
    )


def slots_of(row: dict[str, Any], until: datetime) -> list[datetime]:
    if row["scheduled_run_time"] is None or row["attempt"] != 1:
        return []
    begin = datetime.fromisoformat(row["scheduled_run_time"])
    slots = [begin + number * SECOND for number in range(row["slots"])]
    return [slot for slot in slots if slot <= until]
