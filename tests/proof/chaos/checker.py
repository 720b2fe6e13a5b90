"""The judge. It believes the record that the bodies wrote, and arithmetic; the ledger it tests.

It reads the rows once, after everything ended, with plain values; nothing of ``engine`` is
imported.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from .record import Line

BODY_WAS_CALLED = {"succeeded", "failed", "timed_out", "lost", "cancelled"}
NEVER_CALLED = {"missed", "skipped"}
SHOWN = 10
NAMES = re.compile(r"[-\w]+:\d+|\d[-\d.:T+]*")
"""Hosts, pids, times and numbers: what makes two equal reasons look different."""


@dataclass(frozen=True)
class Row:
    """A row of the ledger, as values."""

    id: int
    job: str
    uid: str
    slot: datetime | None
    last: datetime | None
    slots: int
    attempt: int
    kind: str
    status: str
    reason: str
    """Why it did not run to its end; of a failed body, its exception."""
    term: int | None


@dataclass(frozen=True)
class Expected:
    """A job that nobody edited: it owes ``first + k * interval`` for each k, before ``until``."""

    job: str
    first: datetime
    interval: timedelta
    until: datetime
    again: bool
    sure: bool = True
    """Some run of it must have succeeded, however short the chaos was."""


@dataclass
class Verdict:
    """Empty ``faults`` is what we want."""

    faults: list[str] = field(default_factory=list)
    figures: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)

    def wrong(self, kind: str, what: Iterable[str]) -> None:
        found = list(what)
        self.figures[kind] += len(found)
        self.faults += [f"{kind}: {text}" for text in found[:SHOWN]]
        if len(found) > SHOWN:
            self.faults.append(f"{kind}: and {len(found) - SHOWN} more")


def judge(
    lines: Sequence[Line],
    rows: Sequence[Row],
    expected: Sequence[Expected],
    one_shots: Mapping[str, datetime],
    manual: Iterable[int],
    terms: Sequence[int],
    tasks: Collection[str] = (),
    rolled_back: Collection[str] = (),
) -> Verdict:
    verdict = Verdict()
    starts = [line for line in lines if line.event == "start"]
    ends = {line.id for line in lines if line.event == "end"}
    ledger = {row.id: row for row in rows}
    may_run_again = {job.job for job in expected if job.again}
    verdict.wrong("run twice", _twice(starts, may_run_again))
    verdict.wrong("run, but the ledger knows nothing of it", _unknown(starts, ledger))
    verdict.wrong("succeeded, but no body ran", _unheard(starts, ends, rows))
    verdict.wrong("never ended", _open(rows))
    verdict.wrong("no reason", _unexplained(rows))
    verdict.wrong("owed, not in the ledger", _absent(rows, expected))
    verdict.wrong("in the ledger twice", _doubled(rows, expected))
    verdict.wrong("in the ledger, not owed", _surplus(rows, expected))
    verdict.wrong("one-shot, not in the ledger", one_shots.keys() - {row.job for row in rows})
    verdict.wrong("manual run, not in the ledger", map(str, set(manual) - ledger.keys()))
    uids = {row.uid for row in rows}
    verdict.wrong("task, not in the ledger", set(tasks) - uids)
    verdict.wrong("task, rolled back and in the ledger", set(rolled_back) & uids)
    verdict.wrong("task run twice", _tasks_twice(starts, rows))
    verdict.figures["tasks"] = len(tasks)
    verdict.figures["tasks rolled back"] = len(rolled_back)
    for row in _last_attempts(rows, tasks):
        verdict.figures[f"tasks {row.status}"] += 1
    verdict.wrong("never succeeded", _barren(rows, expected))
    verdict.wrong("terms", _not_rising(terms))
    verdict.notes = _late_starts(starts)
    verdict.figures["bodies that started after a later term's"] = len(verdict.notes)
    _count(verdict, rows, starts)
    return verdict


def slots_of(row: Row, interval: timedelta) -> list[datetime]:
    """The slots that a row of a plain interval stands for."""
    if row.slot is None:
        return []
    return [row.slot + k * interval for k in range(row.slots)]


def _twice(starts: Sequence[Line], may_run_again: set[str]) -> list[str]:
    by_id = Counter(line.id for line in starts)
    found = [f"execution {id} started {n} times" for id, n in by_id.items() if n > 1]
    by_slot = Counter(
        (line.job, line.slot) for line in starts if line.slot and line.job not in may_run_again
    )
    # ``edited`` is removed and added again, and may owe the same moment to two jobs.
    return found + [
        f"{job} at {slot} started {n} times"
        for (job, slot), n in by_slot.items()
        if n > 1 and job != "edited"
    ]


def _tasks_twice(starts: Sequence[Line], rows: Sequence[Row]) -> list[str]:
    """A task has a uid of its own, and none under chaos may be run again."""
    uids = {row.id: row.uid for row in rows if row.slot is None and row.job.startswith("task:")}
    started = Counter(uids[line.id] for line in starts if line.id in uids)
    return [f"{uid} started {n} times" for uid, n in started.items() if n > 1]


def _last_attempts(rows: Sequence[Row], tasks: Collection[str]) -> Iterable[Row]:
    confirmed = set(tasks)
    ordered = sorted(rows, key=lambda row: row.attempt)
    return {row.uid: row for row in ordered if row.uid in confirmed}.values()


def _unknown(starts: Sequence[Line], ledger: Mapping[int, Row]) -> list[str]:
    return [
        f"{line.job} at {line.slot or 'no slot'}: execution {line.id}, "
        f"{ledger[line.id].status if line.id in ledger else 'no row'}"
        for line in starts
        if line.id not in ledger or ledger[line.id].status not in BODY_WAS_CALLED
    ]


def _unheard(starts: Sequence[Line], ends: set[int], rows: Sequence[Row]) -> list[str]:
    heard = {line.id for line in starts} & ends
    return [_name(row) for row in rows if row.status == "succeeded" and row.id not in heard]


def _open(rows: Sequence[Row]) -> list[str]:
    return [_name(row) for row in rows if row.status in {"queued", "running"}]


def _unexplained(rows: Sequence[Row]) -> list[str]:
    silent = {"missed", "skipped", "lost"}
    return [_name(row) for row in rows if row.status in silent and not row.reason]


def _covered(rows: Sequence[Row], job: Expected) -> Counter[datetime]:
    first = [row for row in rows if row.job == job.job and row.kind == "schedule"]
    return Counter(slot for row in first for slot in slots_of(row, job.interval))


def _owed(job: Expected) -> set[datetime]:
    return {job.first + k * job.interval for k in range((job.until - job.first) // job.interval)}


def _absent(rows: Sequence[Row], expected: Sequence[Expected]) -> list[str]:
    return [
        f"{job.job} at {slot.isoformat()}"
        for job in expected
        for slot in sorted(_owed(job) - _covered(rows, job).keys())
    ]


def _doubled(rows: Sequence[Row], expected: Sequence[Expected]) -> list[str]:
    return [
        f"{job.job} at {slot.isoformat()}"
        for job in expected
        for slot, count in _covered(rows, job).items()
        if count > 1
    ]


def _surplus(rows: Sequence[Row], expected: Sequence[Expected]) -> list[str]:
    return [
        f"{job.job} at {slot.isoformat()}"
        for job in expected
        for slot in sorted(_covered(rows, job).keys() - _owed(job))
    ]


def _barren(rows: Sequence[Row], expected: Sequence[Expected]) -> list[str]:
    return sorted(
        {job.job for job in expected if job.sure} - {r.job for r in rows if r.status == "succeeded"}
    )


def _not_rising(terms: Sequence[int]) -> list[str]:
    if list(terms) == list(range(1, len(terms) + 1)):
        return []
    return [f"not 1, 2, 3 ...: {list(terms)}"]


def _late_starts(starts: Sequence[Line]) -> list[str]:
    """Bodies that began after one of a later term: a frozen thread's, or a worker's, last instant.

    Each has its row, and its slot is no other body's: this is no fault, but it is said.
    """
    latest, late = starts[0] if starts else None, []
    for line in sorted(starts, key=lambda line: line.at):
        assert latest is not None
        if line.term < latest.term:
            late.append(f"{line.job}: term {line.term} {line.at - latest.at:.3f} s after {latest}")
        else:
            latest = line
    return late


def _count(verdict: Verdict, rows: Sequence[Row], starts: Sequence[Line]) -> None:
    verdict.figures["bodies started"] = len(starts)
    for row in rows:
        verdict.figures[row.status] += row.slots
        if row.reason:
            verdict.reasons[f"{row.status}: {NAMES.sub('…', row.reason)[:70]}"] += row.slots
        if row.kind == "schedule":
            verdict.figures["slots owed"] += row.slots


def _name(row: Row) -> str:
    at = row.slot.astimezone(UTC).isoformat() if row.slot else "by hand"
    return f"{row.job} at {at}: execution {row.id}, {row.status} {row.reason}".strip()


def read_rows(values: Iterable[Mapping[str, Any]]) -> list[Row]:
    """From ``Execution.objects.values()``."""
    return [
        Row(
            id=v["id"], job=v["job_id"], uid=str(v["job_uid"]), slot=v["scheduled_run_time"],
            last=v["last_run_time"], slots=v["slots"], attempt=v["attempt"], kind=v["kind"],
            status=v["status"], reason=v["reason"] or v["exception"], term=v["term"],
        )
        for v in values
    ]  # fmt: skip
