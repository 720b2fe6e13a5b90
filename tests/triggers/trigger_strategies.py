"""Hypothesis strategies for triggers and crontab lines."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

from apscheduler.triggers.date import DateTrigger
from hypothesis import strategies as st
from scheduler.triggers import (
    AndTrigger,
    CalendarIntervalTrigger,
    CronTrigger,
    IntervalTrigger,
    OrTrigger,
    TriggerError,
)

RANGES = {"month": (1, 12), "day": (1, 31), "week": (1, 53), "hour": (0, 23), "minute": (0, 59)}
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

zones = st.sampled_from(
    [UTC, *map(ZoneInfo, ("Europe/Berlin", "America/Havana", "Pacific/Chatham", "Asia/Kolkata"))]
) | st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
moments = st.datetimes(datetime(1990, 1, 1), datetime(2060, 1, 1), timezones=zones)
jitters = st.none() | st.floats(0.001, 1000) | st.integers(1, 3600)


@st.composite
def expressions(draw: st.DrawFn, name: str) -> str:
    low, high = RANGES[name]
    first, last = sorted(draw(st.tuples(*[st.integers(low, high)] * 2)))
    step = draw(st.integers(1, max(last - first, 1)))
    forms = ["*", f"*/{min(step, high - low)}", str(first), f"{first},{last}", f"{first}-{last}"]
    if last - first >= step:
        forms.append(f"{first}-{last}/{step}")
    if name == "day":
        forms += ["last", f"2nd {draw(st.sampled_from(DAYS))}"]
    return draw(st.sampled_from(forms))


@st.composite
def cron_fields(draw: st.DrawFn) -> dict[str, str]:
    fields = {name: draw(expressions(name)) for name in RANGES if draw(st.booleans())}
    if draw(st.booleans()):
        fields["day_of_week"] = draw(
            st.lists(st.sampled_from([*DAYS, "0-4", "*/2", "mon-fri", "6"]), min_size=1, max_size=3)
            .map(sorted)
            .map(",".join)
        )
    return fields


def made(kind: type, **arguments: object) -> object:
    """The trigger, or ``None`` where the arguments make no sense together."""
    try:
        return kind(**arguments)
    except TriggerError:
        return None


@st.composite
def windows(draw: st.DrawFn) -> dict[str, object]:
    start, end = sorted(
        draw(st.tuples(moments, moments)), key=lambda moment: moment.astimezone(UTC)
    )
    return {
        "start_date": draw(st.sampled_from([None, start])),
        "end_date": draw(st.sampled_from([None, None, end])),
        "timezone": draw(zones),
        "jitter": draw(jitters),
    }


def _present(strategy: st.SearchStrategy) -> st.SearchStrategy:
    return strategy.filter(lambda trigger: trigger is not None)


crons = _present(
    st.builds(
        lambda fields, window, policies: made(CronTrigger, **fields, **window, **policies),
        cron_fields(),
        windows(),
        st.fixed_dictionaries(
            {},
            optional={
                "gap": st.sampled_from(["next", "skip"]),
                "fold": st.sampled_from(["first", "both"]),
                "days": st.sampled_from(["both", "either"]),
            },
        ),
    )
)
nightly = st.builds(
    CronTrigger,
    day=st.sampled_from([None, "*/2", "1-15", "13", "last"]),
    day_of_week=st.sampled_from([None, "mon-fri", "fri"]),
    hour=st.sampled_from([0, "0-6", "*/3", 2]),
    timezone=st.sampled_from(["UTC", "Europe/Berlin", "America/Havana"]),
)
intervals = _present(
    st.builds(
        lambda length, window: made(
            IntervalTrigger, days=length.days, seconds=length.seconds,
            microseconds=length.microseconds, **window,
        ),
        st.timedeltas(timedelta(microseconds=1), timedelta(days=400)),
        windows(),
    )
)  # fmt: skip
calendars = _present(
    st.builds(
        lambda units, start, clock, zone, jitter: made(
            CalendarIntervalTrigger, **units, **clock, start_date=start, timezone=zone,
            jitter=jitter,
        ),
        st.fixed_dictionaries(
            {}, optional={n: st.integers(0, 15) for n in ("years", "months", "weeks", "days")}
        ),
        st.none() | st.dates(date(2000, 1, 1), date(2050, 1, 1)),
        st.fixed_dictionaries({"hour": st.integers(0, 23), "minute": st.integers(0, 59)}),
        zones,
        jitters,
    )
)  # fmt: skip
dates = st.builds(DateTrigger, moments)
simple = st.one_of(crons, intervals, calendars, dates)
anything = st.recursive(
    simple,
    lambda inner: _present(
        st.builds(
            lambda kind, members, jitter: made(kind, triggers=members, jitter=jitter),
            st.sampled_from([OrTrigger, AndTrigger]),
            st.lists(inner, min_size=1, max_size=3),
            jitters,
        )
    ),
    max_leaves=4,
)


@dataclass(frozen=True)
class Line:
    """A crontab line and the values that each of its fields stands for."""

    text: str
    values: tuple[frozenset[int], ...]
    stars: tuple[bool, ...]

    def holds(self, wall: datetime) -> bool:
        minutes, hours, days, months, weekdays = self.values
        day, weekday = wall.day in days, wall.isoweekday() % 7 in weekdays
        on_day = day and weekday if self.stars[2] or self.stars[4] else day or weekday
        return wall.minute in minutes and wall.hour in hours and wall.month in months and on_day


@st.composite
def crontab_lines(draw: st.DrawFn) -> Line:
    drawn = [draw(_column(*bounds)) for bounds in ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))]
    texts, values = zip(*drawn, strict=True)
    weekdays = frozenset(value % 7 for value in values[4])
    stars = tuple(text.startswith("*") for text in texts)
    return Line(" ".join(texts), (*values[:4], weekdays), stars)


@st.composite
def _column(draw: st.DrawFn, low: int, high: int) -> tuple[str, frozenset[int]]:
    texts, values = [], set()
    for _ in range(draw(st.integers(1, 2))):
        first, last = sorted(draw(st.tuples(*[st.integers(low, high)] * 2)))
        step = draw(st.integers(1, high - low))
        text, found = draw(
            st.sampled_from(
                [
                    ("*", range(low, high + 1)),
                    (f"*/{step}", range(low, high + 1, step)),
                    (str(first), [first]),
                    (f"{first}-{last}", range(first, last + 1)),
                    (f"{first}-{last}/{step}", range(first, last + 1, step)),
                ]
            )
        )
        texts.append(text)
        values |= set(found)
    return ",".join(texts), frozenset(values)
