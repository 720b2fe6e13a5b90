"""A pickle from another system runs nothing when it is read."""

from __future__ import annotations

import copyreg
import os
import pickle
import uuid
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
import pytz
from apscheduler.triggers import calendarinterval, combining, cron, interval
from apscheduler.triggers.cron import expressions, fields
from apscheduler.triggers.date import DateTrigger
from scheduler.importer.unpickling import KNOWN, RefusedPickle, state_of

from tests import bodies

every_protocol = pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
BERLIN = ZoneInfo("Europe/Berlin")
COMBINED = "apscheduler.triggers.combining:"


class Reduced:
    """Pickled, it is what its arguments say: a call, and a state for what that returns."""

    def __init__(self, *reduced):
        self.reduced = reduced

    def __reduce__(self):
        return self.reduced


def pickled(protocol: int = 4, **state) -> bytes:
    return pickle.dumps({"func": "a:b", "trigger": None, **state}, protocol)


def called(protocol: int, module: str, name: str, *args: str) -> bytes:
    """A call of a function that this test need not have at hand."""
    function = f"c{module}\n{name}\n".encode()
    if protocol >= 4:
        texts = [b"\x8c" + bytes([len(text)]) + text.encode() for text in (module, name)]
        function = b"".join(texts) + pickle.STACK_GLOBAL
    head = pickle.PROTO + bytes([protocol]) if protocol >= 2 else b""
    given = "".join(f"V{arg}\n" for arg in args).encode()
    return head + function + b"(" + given + b"tR."


@every_protocol
@pytest.mark.parametrize(
    ("module", "name", "args"),
    [
        ("uuid", "_get_command_stdout", ("touch", "{}")),
        ("uuid", "os.system", ("touch {}",)),
        ("uuid", "UUID.__init__.__globals__.get", ("os",)),
        ("collections", "_sys.modules.get", ("os",)),
        ("collections", "namedtuple", ("a", "b")),
        ("collections", "defaultdict", ()),
        ("datetime", "sys.exit", ()),
        ("decimal", "localcontext", ()),
        ("zoneinfo", "reset_tzpath", ()),
        ("zoneinfo", "ZoneInfo.clear_cache", ()),
        ("backports.zoneinfo", "ZoneInfo.clear_cache", ()),
        ("apscheduler.triggers.combining", "ref_to_obj", ("os:system",)),
        ("apscheduler.triggers.cron", "CronTrigger.from_crontab", ("* * * * *",)),
        ("apscheduler.triggers.cron.expressions", "re.compile", ("a",)),
        ("builtins", "eval", ("open('{}', 'w')",)),
        ("__builtin__", "eval", ("open('{}', 'w')",)),
        ("builtins", "object.__subclasses__", ()),
        ("_codecs", "decode", ("", "undefined")),
        ("operator", "attrgetter", ("a",)),
        ("posix", "system", ("touch {}",)),
    ],
)
def test_a_call_of_a_function_that_no_job_needs_is_refused(protocol, module, name, args, tmp_path):
    file = tmp_path / "made"
    with pytest.raises(RefusedPickle, match="neither a trigger nor a plain value"):
        state_of(called(protocol, module, name, *(arg.format(file) for arg in args)))
    assert not file.exists()


@every_protocol
@pytest.mark.parametrize(
    "value",
    [
        Reduced(eval, ("1 / 0",)),
        Reduced(os.getcwd, ()),
        Reduced(uuid.uuid1, ()),
        bodies.Thing(),
        bodies.tick,
        os.system,
        range(3),
    ],
)
def test_what_is_neither_a_trigger_nor_a_plain_value_is_refused(value, protocol):
    with pytest.raises(RefusedPickle, match="neither"):
        state_of(pickled(protocol, args=[value]))


@every_protocol
@pytest.mark.parametrize(
    ("function", "args", "reason"),
    [
        (getattr, (timedelta, "__init_subclass__"), "it asks for __init_subclass__"),
        (getattr, (ZoneInfo, "clear_cache"), "it asks for clear_cache"),
        (copyreg._reconstructor, (cron.CronTrigger, interval.IntervalTrigger, "1"), "it makes a"),
        (copyreg._reconstructor, (Decimal, object, None), "it makes a"),
        (ZoneInfo, ("../../etc/passwd",), "it cannot be read: ValueError"),
    ],
)
def test_what_real_jobs_call_does_nothing_else(function, args, reason, protocol):
    with pytest.raises(RefusedPickle, match=reason):
        state_of(pickled(protocol, args=[Reduced(function, args)]))


def test_bytes_that_are_written_as_text_are_latin_1():
    with pytest.raises(RefusedPickle, match="'zlib_codec'"):
        state_of(called(2, "_codecs", "encode", "abc", "zlib_codec"))


@every_protocol
@pytest.mark.parametrize("kind", [cron.CronTrigger, fields.WeekField, UUID, getattr, pytz._p])
def test_nothing_but_a_trigger_is_given_attributes(kind, protocol):
    """They would stay for as long as the process: for a class, on all its instances."""
    build = pickle.dumps((None, {"added": 1}), protocol)
    start = 2 if protocol >= 2 else 0
    start += 9 if protocol >= 4 else 0
    function = called(protocol, kind.__module__, kind.__qualname__)[:-4]
    with pytest.raises(RefusedPickle, match="it sets attributes of"):
        state_of(function + build[start:-1] + b"b.")
    assert not any(hasattr(value, "added") for value in (kind, *KNOWN.values()))


@every_protocol
@pytest.mark.parametrize("depth", [0, 1, 2])
def test_a_combination_holds_triggers_and_imports_nothing(depth, protocol):
    state = {"jitter": None, "triggers": [("tests.bodies:Remembers", {"jitter": 1})]}
    for _ in range(depth):
        state = {"jitter": None, "triggers": [(COMBINED + "AndTrigger", state)]}
    trigger = Reduced(combining.OrTrigger, ([],), state)
    with pytest.raises(RefusedPickle, match=r"'tests.bodies:Remembers' as a trigger"):
        state_of(pickled(protocol, trigger=trigger))


@pytest.mark.parametrize("data", [b"", b"garbage", pickle.dumps([1]), pickle.dumps({"func": "a"})])
def test_what_is_no_job_is_refused(data):
    with pytest.raises(RefusedPickle):
        state_of(data)


def test_the_project_may_let_its_own_classes_in(settings):
    settings.APSCHEDULER_ALLOW_PICKLE = True
    assert isinstance(state_of(pickled(args=[bodies.Thing()]))["args"][0], bodies.Thing)


@every_protocol
def test_each_kind_of_trigger_is_read(protocol):
    every = cron.CronTrigger(
        month="jan-feb", day="last,2nd fri", week="1-5", day_of_week="mon-fri", minute="*/5",
        timezone=BERLIN, jitter=3, start_date=datetime(2030, 1, 1),
    )  # fmt: skip
    triggers = [
        every,
        DateTrigger(datetime(2030, 1, 1), BERLIN),
        interval.IntervalTrigger(minutes=7, timezone=UTC),
        calendarinterval.CalendarIntervalTrigger(months=1, hour=3, timezone=BERLIN),
    ]
    nested = combining.OrTrigger([combining.AndTrigger(triggers, 5), every])

    read = state_of(pickled(protocol, trigger=nested))["trigger"]

    assert repr(read) == repr(nested)
    parts = {type(part) for field in every.fields for part in (field, *field.expressions)}
    assert {expressions.LastDayOfMonthExpression, fields.WeekField} < parts


@every_protocol
def test_each_kind_of_value_is_read(protocol):
    at = datetime(2030, 1, 1, 3, tzinfo=BERLIN)
    values = [
        Decimal("1.5"), uuid.uuid1(), at, at.date(), time(3, tzinfo=UTC), timedelta(1), BERLIN,
        date(2030, 1, 1), timezone(timedelta(hours=2)), (1, [2.5]), {3}, frozenset({4}), b"x\xff",
        {"a": None, 1: True},
    ]  # fmt: skip
    assert state_of(pickled(protocol, args=values))["args"] == values


@every_protocol
def test_zones_of_pytz_are_read_without_pytz(protocol):
    trigger = cron.CronTrigger(hour=3, timezone="Europe/Berlin")
    trigger.timezone = pytz.timezone("Europe/Berlin")
    read = state_of(pickled(protocol, trigger=trigger, args=[pytz.utc]))
    assert read["trigger"].timezone.key == "Europe/Berlin"
    assert read["args"] == [UTC]


def test_zones_of_the_backport_are_read_without_it():
    data = pickle.dumps({"func": "a:b", "trigger": BERLIN}, 3)
    read = state_of(data.replace(b"czoneinfo\n", b"cbackports.zoneinfo\n"))
    assert read["trigger"] is BERLIN
