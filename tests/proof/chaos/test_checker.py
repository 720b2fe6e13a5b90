"""The judge can find fault: each way of being wrong, in a record and a ledger made for it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from .checker import Expected, Row, Verdict, judge
from .record import Line

FIRST = datetime(2031, 5, 1, tzinfo=UTC)
SECOND = timedelta(seconds=1)
EXPECTED = Expected("tick", FIRST, SECOND, FIRST + 4 * SECOND, again=False)


def row(id: int, slots: int = 1, **other: object) -> Row:
    at = FIRST + (id - 1) * SECOND
    plain = Row(id, "tick", "u", at, None, slots, 1, "schedule", "succeeded", "", 1)
    return replace(plain, **other)  # type: ignore[arg-type]


def lines(*ids: int) -> list[Line]:
    return [
        Line(event, id, "tick", (FIRST + (id - 1) * SECOND).isoformat(), 1, 1, 7, id + after)
        for id in ids
        for event, after in (("start", 0.1), ("end", 0.2))
    ]


RIGHT = [row(1), row(2, slots=2, status="skipped", reason="coalesced"), row(4)]


def verdict(rows: list[Row] = RIGHT, heard: list[Line] | None = None, **other: object) -> Verdict:
    given = {"one_shots": {}, "manual": [], "terms": [1, 2, 3], "expected": [EXPECTED], **other}
    return judge(lines(1, 4) if heard is None else heard, rows, **given)  # type: ignore[arg-type]


def test_what_is_right_is_found_right():
    found = verdict()
    assert found.faults == []
    assert (found.figures["slots owed"], found.figures["bodies started"]) == (4, 2)


@pytest.mark.parametrize(
    ("complaint", "rows", "heard"),
    [
        ("run twice: execution 1", RIGHT, lines(1, 1, 4)),
        ("run twice: tick at", [*RIGHT, row(9, slot=FIRST, attempt=2)],
         [*lines(1, 4), *(replace(line, id=9) for line in lines(1))]),
        ("run, but the ledger knows nothing of it", RIGHT, lines(1, 4, 8)),
        ("run, but the ledger knows nothing of it", RIGHT, lines(1, 2, 4)),
        ("succeeded, but no body ran", RIGHT, lines(1)),
        ("succeeded, but no body ran", RIGHT, lines(1, 4)[:-1]),
        ("never ended", [*RIGHT[:2], row(4, status="running")], lines(1, 4)),
        ("no reason", [RIGHT[0], row(2, slots=2, status="skipped"), RIGHT[2]], lines(1, 4)),
        ("owed, not in the ledger", [RIGHT[0], RIGHT[2]], lines(1, 4)),
        ("in the ledger twice", [*RIGHT, row(3, status="missed", reason="late")], lines(1, 4)),
        ("in the ledger, not owed", [*RIGHT, row(5, status="missed", reason="late")], lines(1, 4)),
        ("never succeeded", [row(1, slots=4, status="skipped", reason="x")], []),
    ],
)  # fmt: skip
def test_the_checker_finds_what_is_wrong(complaint, rows, heard):
    assert any(complaint in fault for fault in verdict(rows, heard).faults)


def test_a_job_that_succeeds_only_now_and_then_need_not_have_succeeded():
    skipped = [row(1, slots=4, status="skipped", reason="x")]
    assert verdict(skipped, [], expected=[replace(EXPECTED, sure=False)]).faults == []


def test_a_job_that_may_run_again_may_run_a_slot_twice_in_two_attempts():
    rows = [row(1, status="lost", reason="gone"), *RIGHT[1:], row(9, slot=FIRST, kind="retry")]
    heard = [*lines(1, 4), *(replace(line, id=9) for line in lines(1))]
    assert verdict(rows, heard, expected=[replace(EXPECTED, again=True)]).faults == []
    assert verdict(rows, heard).faults


@pytest.mark.parametrize("terms", [[1, 3], [1, 1], [2, 3], [2, 1]])
def test_terms_that_do_not_rise_by_one_are_found(terms):
    assert any("terms" in fault for fault in verdict(terms=terms).faults)


def test_confirmed_requests_without_a_row_are_found():
    faults = verdict(one_shots={"once-1": FIRST}, manual=[77]).faults
    assert faults == ["one-shot, not in the ledger: once-1", "manual run, not in the ledger: 77"]


def test_a_body_of_an_older_term_after_one_of_a_newer_is_said():
    early, late = lines(1, 4)[::2]
    assert len(verdict(heard=[*lines(1, 4), replace(early, at=99.0, term=1, id=1)]).notes) == 0
    heard = [replace(early, term=2), lines(1)[1], late, lines(4)[1]]
    assert len(verdict(heard=heard).notes) == 1


TASK = row(9, job="task:a.b", uid="t", kind="task", slot=None)
HEARD = [*lines(1, 4), *lines(9)]


def test_a_task_that_ran_once_is_right():
    found = verdict([*RIGHT, TASK], HEARD, tasks=["t"], rolled_back=["r"])
    assert found.faults == []
    assert {name: n for name, n in found.figures.items() if name.startswith("tasks") and n} == {
        "tasks": 1, "tasks rolled back": 1, "tasks succeeded": 1
    }  # fmt: skip


def test_a_task_counts_as_its_last_attempt_ended():
    first = replace(TASK, id=8, status="failed", reason="broken")
    second = replace(TASK, attempt=2, kind="retry")
    figures = verdict([*RIGHT, first, second], HEARD, tasks=["t"]).figures
    assert (figures["tasks succeeded"], figures["tasks failed"]) == (1, 0)


def test_a_confirmed_task_without_a_row():
    assert "task, not in the ledger: t" in verdict(tasks=["t"]).faults


def test_a_task_that_was_rolled_back_and_has_a_row():
    faults = verdict([*RIGHT, TASK], HEARD, rolled_back=["t"]).faults
    assert faults == ["task, rolled back and in the ledger: t"]


def test_a_task_that_two_rows_ran():
    again = replace(TASK, id=8, attempt=2, kind="retry")
    faults = verdict([*RIGHT, TASK, again], [*HEARD, *lines(8)], tasks=["t"]).faults
    assert faults == ["task run twice: t started 2 times"]
