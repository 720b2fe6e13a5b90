"""The judge: each slot of the one-second job has exactly one outcome, and its body ran once."""

from __future__ import annotations

import sqlite3
from collections import Counter
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

SECOND = timedelta(seconds=1)
QUERY = """
SELECT scheduled_run_time, last_run_time, slots, status, started_at
FROM scheduler_execution WHERE job_id = 'tick' AND attempt = 1 AND kind = 'schedule' ORDER BY id
"""


def read(database: Path, query: str, *values: Any) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=20)) as connection:
        return connection.execute(query, values).fetchall()


def ticks(database: Path) -> int:
    """How many runs of the one-second job have succeeded so far."""
    counted = "SELECT count(*) FROM scheduler_execution WHERE job_id = 'tick' AND status = ?"
    return int(read(database, counted, "succeeded")[0][0])


def check(database: Path, settled: bool = True) -> Counter[str]:
    """Raise AssertionError unless every slot is there once.

    Args:
        settled: all schedulers have stopped in order, so that nothing may count as running.

    Returns:
        How many slots had which outcome.
    """
    covered: Counter[datetime] = Counter()
    outcomes: Counter[str] = Counter()
    succeeded: set[datetime] = set()
    for first, last, slots, status, _ in read(database, QUERY):
        begin = _time(first)
        stretch = [begin + n * SECOND for n in range(slots)]
        assert slots == 1 or stretch[-1] == _time(last), (first, last, slots)
        covered.update(stretch)
        outcomes[status] += slots
        if status == "succeeded":
            succeeded.add(begin)
    assert covered, "nothing ran at all"
    assert [slot for slot, times in covered.items() if times > 1] == [], "slots with two outcomes"
    first, last = min(covered), max(covered)
    missing = [first + n * SECOND for n in range((last - first) // SECOND)]
    assert [slot for slot in missing if slot not in covered] == [], "slots without an outcome"
    if settled:  # a slot that is still queued was never started: whoever leads next runs it
        assert "running" not in outcomes, outcomes
    ran = Counter(_bodies(database.with_name("bodies.log")))
    assert [slot for slot, times in ran.items() if times > 1] == [], "bodies that ran twice"
    assert succeeded <= ran.keys(), "succeeded without a body"
    return outcomes


def _bodies(record: Path) -> list[datetime]:
    return [datetime.fromisoformat(line.split()[0]) for line in record.read_text().splitlines()]


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)
