"""Read a pickled job without running what else a pickle may hold.

Only APScheduler's triggers and plain values are built. A class of the project is named and
refused, unless the project allows pickles (``APSCHEDULER_ALLOW_PICKLE``).
"""

from __future__ import annotations

import io
import pickle
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from apscheduler.triggers import calendarinterval, combining, cron, interval
from apscheduler.triggers.cron import expressions, fields
from apscheduler.triggers.date import DateTrigger

from ..conf import conf


class RefusedPickle(pickle.UnpicklingError):
    """The pickle names something that is not to be built."""


def state_of(data: bytes) -> dict[str, Any]:
    """Return the state of a pickled APScheduler job.

    Raises:
        RefusedPickle: it is broken, or holds what it should not.
    """
    try:
        state = _Unpickler(io.BytesIO(data)).load()
    except RefusedPickle:
        raise
    except Exception as error:  # broken data leads to anything
        raise RefusedPickle(f"it cannot be read: {type(error).__name__}: {error}") from error
    if not isinstance(state, dict) or not {"func", "trigger"} <= state.keys():
        raise RefusedPickle("this is no pickled APScheduler job")
    return state


class _Unpickler(pickle._Unpickler):
    """The one in Python: the one in C does not let us look at what gets a state."""

    stack: list[Any]
    dispatch = dict(pickle._Unpickler.dispatch)

    def find_class(self, module: str, name: str) -> Any:
        module = PYTHON_2.get(module, module)  # protocols 0 to 2 write its names
        if (module, name) in KNOWN:
            return KNOWN[module, name]
        if conf().ALLOW_PICKLE:
            return super().find_class(module, name)
        raise RefusedPickle(
            f"it holds {module}.{name}, which is neither a trigger nor a plain value; "
            "APSCHEDULER_ALLOW_PICKLE = True lets it in"
        )

    def load_build(self) -> None:
        """Check what gets a state: it may change anything that has attributes, functions too."""
        built, state = self.stack[-2:]
        if not conf().ALLOW_PICKLE:
            if type(built) not in STATEFUL:
                raise RefusedPickle(f"it sets attributes of {built!r}")
            if isinstance(built, combining.BaseCombiningTrigger):
                _check_members(state)
        super().load_build()  # type: ignore[misc]

    dispatch[pickle.BUILD[0]] = load_build  # type: ignore[assignment]


def _check_members(state: dict[str, Any]) -> None:
    """Check the members of a combined trigger, whose ``__setstate__`` imports what they name."""
    for name, member in state["triggers"]:
        if name not in TRIGGERS:
            raise RefusedPickle(f"it holds {name!r} as a trigger, which is none of APScheduler's")
        if issubclass(TRIGGERS[name], combining.BaseCombiningTrigger):
            _check_members(member)


# What stands in for a function of the pickle does only what a real job asks of it.


def _pytz(zone: str, *_: Any) -> tzinfo:
    return ZoneInfo(zone)


def _utc() -> tzinfo:
    return UTC


def _unpickle_of(owner: Any, name: str) -> Any:
    """Return the attribute that a pickled zone asks of its class; nothing else may ask for any."""
    if owner is ZoneInfo and name == "_unpickle":
        return getattr(owner, name)
    raise RefusedPickle(f"it asks for {name} of {owner!r}")


def _reconstructor(kind: Any, base: Any, _: None) -> Any:
    """Make an instance that gets its state next, as protocols 0 and 1 do."""
    if kind in STATEFUL and base is object:
        return object.__new__(kind)
    raise RefusedPickle(f"it makes a {kind!r} of {base!r}")


def _bytes(text: str, encoding: str) -> bytes:
    """Read bytes that protocols 0 to 2 write as text; another codec may do anything."""
    if encoding == "latin1":
        return text.encode("latin-1")
    raise RefusedPickle(f"it holds bytes as {encoding!r}")


PYTHON_2 = {"__builtin__": "builtins", "copy_reg": "copyreg"}
STOCK: tuple[type, ...] = (
    calendarinterval.CalendarIntervalTrigger,
    combining.AndTrigger,
    combining.OrTrigger,
    cron.CronTrigger,
    DateTrigger,
    interval.IntervalTrigger,
)
PARTS: tuple[type, ...] = (
    expressions.AllExpression,
    expressions.LastDayOfMonthExpression,
    expressions.MonthRangeExpression,
    expressions.RangeExpression,
    expressions.WeekdayPositionExpression,
    expressions.WeekdayRangeExpression,
    fields.BaseField,
    fields.DayOfMonthField,
    fields.DayOfWeekField,
    fields.MonthField,
    fields.WeekField,
)
PLAIN: tuple[type, ...] = (
    *(date, datetime, time, timedelta, timezone, Decimal, UUID, ZoneInfo),
    *(bytes, frozenset, object, set),
)
TRIGGERS = {f"{each.__module__}:{each.__name__}": each for each in STOCK}
STATEFUL = {*STOCK, *PARTS, UUID}
# Exact names, for a module holds more than it is known for: ``uuid`` can start programs. What is
# here can be called with any arguments.
KNOWN: dict[tuple[str, str], Any] = {
    **{(each.__module__, each.__name__): each for each in (*STOCK, *PARTS, *PLAIN)},
    ("builtins", "getattr"): _unpickle_of,
    ("copyreg", "_reconstructor"): _reconstructor,
    ("_codecs", "encode"): _bytes,
    ("pytz", "_p"): _pytz,
    ("pytz", "_UTC"): _utc,
    ("backports.zoneinfo", "ZoneInfo"): ZoneInfo,
}
