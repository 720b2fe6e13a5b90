"""The table of states: what each event makes of a job in each state."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from scheduler.definitions import states
from scheduler.definitions.states import Event
from scheduler.models.job import JobState

AT = datetime(2030, 1, 1, tzinfo=UTC)

# One line for each event: the state that follows each state. "/paused" is active with a next run
# time and paused without one; "gone": the row is removed; "+": the next run time is kept; ".": the
# job stays as it is.
OTHERS = """
event        new      active        paused   finished   quarantined  retired
ADDED        /paused  .             .        .          .            .
RENEWED      .        .             .        .          active+      /paused
REPLACED     .        /paused       .        /paused    /paused      /paused
SCHEDULED    .        /paused       /paused  /paused    /paused      /paused
MENDED       .        .             .        .          active+      .
PAUSED       .        paused        paused   paused     paused       paused
RESUMED      .        .             /gone    /gone      /gone        /gone
RELEASED     .        .             .        .          active+      .
QUARANTINED  .        quarantined+  .        .          .            .
EXHAUSTED    .        /gone         .        .          .            .
REPLANNED    .        /finished     .        /finished  .            .
RETIRED      .        retired       retired  retired    retired      retired
"""
# Where a job that the code declares differs.
DECLARED = """
event      new        active     paused     finished   quarantined  retired
ADDED      /finished  .          .          .          .            .
RENEWED    .          .          .          .          active+      /finished
REPLACED   .          /finished  .          /finished  /finished    /finished
RESUMED    .          .          /finished  /finished  /finished    /finished
EXHAUSTED  .          /finished  .          .          .            .
"""


def _cases(table: str, declared: bool):
    (_, *names), *rows = [line.split() for line in table.strip().splitlines()]
    for event, *cells in rows:
        for state, cell in zip(names, cells, strict=True):
            name = f"{state}-{event}-{'declared' if declared else 'other'}"
            yield pytest.param(state, Event[event], cell, declared, id=name)


CASES = [*_cases(OTHERS, False), *_cases(DECLARED, True)]


@pytest.mark.parametrize(("state", "event", "cell", "declared"), CASES)
def test_each_event_leads_where_the_table_says(state, event, cell, declared):
    before = None if state == "new" else state
    due = states.after(before, event, AT, declared=declared, error="why")
    over = states.after(before, event, None, declared=declared, error="why")
    if cell == ".":
        assert due == over == {}
        return
    with_time, _, without = cell.rstrip("+").partition("/")
    with_time = with_time or "active"
    assert due["state"] == with_time
    assert over["state"] == (None if without == "gone" else without or with_time)
    if cell.endswith("+"):
        assert "next_run_time" not in due | over
    else:
        assert due["next_run_time"] == (AT if with_time == "active" else None)
        assert over["next_run_time"] is None


def test_the_table_above_names_every_event_and_state():
    assert {case.values[:2] for case in CASES} == {
        (state, event) for state in ["new", *JobState.values] for event in Event
    }


def test_only_a_quarantined_job_has_an_error_and_loses_it_on_release():
    assert states.after("active", Event.QUARANTINED, error="no such function") == {
        "state": "quarantined",
        "last_error": "no such function",
    }
    assert states.after("quarantined", Event.RELEASED) == {"state": "active", "last_error": ""}
    for state, event in states.TRANSITIONS:
        error = states.after(state, event, AT, error="why").get("last_error")
        assert error == "why" if event is Event.QUARANTINED else error in (None, "")
