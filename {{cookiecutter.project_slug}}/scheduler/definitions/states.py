"""The state of a job: one table of what each event makes of it. Nothing else decides a state.

Only an active job falls due. A quarantined one keeps its next run time, so that the runs due
meanwhile are due on release; paused, finished and retired jobs have none. A row whose schedule is
over is removed, as APScheduler does; a job that the code declares finishes instead, since its
declaration would bring it back.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple

from ..models.job import JobState

NEW = None
"""Where a row comes from that is not written yet."""
REMOVED = None
"""Where a row goes whose schedule is over."""
ACTIVE, PAUSED, FINISHED, QUARANTINED, RETIRED = JobState


class Event(StrEnum):
    """What happens to a job."""

    ADDED = "added"
    RENEWED = "added again with the same trigger"
    REPLACED = "added again with another trigger"
    SCHEDULED = "somebody set its next run time; none pauses it"
    MENDED = "somebody replaced a part of its definition"
    PAUSED = "paused"
    RESUMED = "resumed"
    RELEASED = "released from quarantine"
    QUARANTINED = "its definition cannot be loaded"
    EXHAUSTED = "its trigger has no further time"
    REPLANNED = "its trigger was changed by something that computed no next run time"
    RETIRED = "its declaration vanished from the code"


class Outcome(NamedTuple):
    """The state that follows: with a next run time; without one, for a declared job and others."""

    due: JobState | None
    declared: JobState | None
    other: JobState | None


def _always(state: JobState) -> Outcome:
    return Outcome(state, state, state)


TRANSITIONS: dict[tuple[JobState | None, Event], Outcome] = {
    (NEW, Event.ADDED): Outcome(ACTIVE, FINISHED, PAUSED),
    **{(state, Event.SCHEDULED): Outcome(ACTIVE, PAUSED, PAUSED) for state in JobState},
    (QUARANTINED, Event.MENDED): _always(ACTIVE),
    # Whoever paused the job did not mean its schedule: a pause outlives another trigger.
    (ACTIVE, Event.REPLACED): Outcome(ACTIVE, FINISHED, PAUSED),
    (FINISHED, Event.REPLACED): Outcome(ACTIVE, FINISHED, PAUSED),
    (QUARANTINED, Event.REPLACED): Outcome(ACTIVE, FINISHED, PAUSED),
    (RETIRED, Event.REPLACED): Outcome(ACTIVE, FINISHED, PAUSED),
    (RETIRED, Event.RENEWED): Outcome(ACTIVE, FINISHED, PAUSED),
    (QUARANTINED, Event.RENEWED): _always(ACTIVE),
    **{(state, Event.PAUSED): _always(PAUSED) for state in JobState},
    **{
        (state, Event.RESUMED): Outcome(ACTIVE, FINISHED, REMOVED)
        for state in (PAUSED, FINISHED, QUARANTINED, RETIRED)
    },
    (QUARANTINED, Event.RELEASED): _always(ACTIVE),
    (ACTIVE, Event.QUARANTINED): _always(QUARANTINED),
    (ACTIVE, Event.EXHAUSTED): Outcome(ACTIVE, FINISHED, REMOVED),
    (ACTIVE, Event.REPLANNED): Outcome(ACTIVE, FINISHED, FINISHED),
    (FINISHED, Event.REPLANNED): Outcome(ACTIVE, FINISHED, FINISHED),
    **{(state, Event.RETIRED): _always(RETIRED) for state in JobState},
}
"""An event that is not listed for a state leaves the job as it is."""
KEEPS_NEXT_RUN_TIME = {
    (QUARANTINED, Event.MENDED),
    (QUARANTINED, Event.RENEWED),
    (QUARANTINED, Event.RELEASED),
    (ACTIVE, Event.QUARANTINED),
}
"""The transitions after which the job is due when it was due before."""


def after(
    state: str | None,
    event: Event,
    next_run_time: datetime | None = None,
    *,
    declared: bool = False,
    error: str = "",
) -> dict[str, Any]:
    """Return the columns that ``event`` writes into the row of a job in ``state``.

    Args:
        state: the row's; None for a row that is not written yet.
        next_run_time: when the job would run next; None if never.
        declared: whether the code declares the job.
        error: why it is quarantined.

    Returns:
        ``state``, ``next_run_time`` and ``last_error``, as far as they are written; empty where
        the job stays as it is. ``{"state": None}`` if its row is to be removed.
    """
    before = NEW if state is None else JobState(state)
    outcome = TRANSITIONS.get((before, event))
    if outcome is None:
        return {}
    over = outcome.declared if declared else outcome.other
    state_after = outcome.due if next_run_time else over
    columns: dict[str, Any] = {"state": state_after}
    if (before, event) not in KEEPS_NEXT_RUN_TIME:
        columns["next_run_time"] = next_run_time if state_after == ACTIVE else None
    if state_after == QUARANTINED:
        columns["last_error"] = error
    elif state_after in (ACTIVE, FINISHED) and before not in (NEW, ACTIVE, FINISHED):
        columns["last_error"] = ""
    return columns
