"""Every value that the serialisation accepts comes back equal and of its type."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st
from scheduler.serialization import dumps_args, dumps_kwargs, dumps_result, loads_args, loads_kwargs

MODEST = settings(deadline=None, max_examples=150)

zones = st.sampled_from(
    [UTC, ZoneInfo("Europe/Berlin"), ZoneInfo("UTC"), timezone(timedelta(hours=5))]
)
hashable = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False),
    st.text(st.characters(), max_size=8),
    st.binary(max_size=8),
    st.datetimes(timezones=st.none() | zones, allow_imaginary=False),
    st.dates(),
    st.times(timezones=st.none() | zones),
    st.timedeltas(),
    st.decimals(allow_nan=False),
    st.uuids(),
)
frozen = (
    hashable
    | st.lists(hashable, max_size=3).map(tuple)
    | st.frozensets(hashable | st.tuples(hashable), max_size=3)
)
names = st.text(max_size=5) | st.sampled_from(["$date", "$dict", "$", "$pickle"])
values = st.recursive(
    frozen,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.sets(frozen, max_size=3),
        st.dictionaries(names, inner, max_size=3),
        st.dictionaries(frozen, inner, max_size=3),
    ),
    max_leaves=4,
)


def typed(value: Any) -> Any:
    """The value with its types written out, so that 1, 1.0 and True differ."""
    if isinstance(value, (list, tuple)):
        return type(value), [typed(item) for item in value]
    if isinstance(value, (set, frozenset)):
        return type(value), sorted(repr(typed(item)) for item in value)
    if isinstance(value, dict):
        return dict, [(typed(name), typed(item)) for name, item in value.items()]
    if isinstance(value, (datetime, time)):  # the fold of a time without a date says nothing
        # A zone by its name: after ZoneInfo.clear_cache() there are two objects of one zone.
        plain = value.replace(fold=0, tzinfo=None)
        return type(value), plain, str(value.tzinfo), value.utcoffset()
    return type(value), value


@MODEST
@given(st.lists(values, max_size=3))
def test_arguments_survive_their_text(args: list[Any]) -> None:
    text = dumps_args(args)
    back = loads_args(text)
    assert typed(back) == typed(tuple(args))
    assert dumps_args(back) == text
    text.encode()


@MODEST
@given(st.dictionaries(names, values, max_size=3))
def test_keyword_arguments_survive_their_text(kwargs: dict[str, Any]) -> None:
    back = loads_kwargs(dumps_kwargs(kwargs))
    assert {name: typed(value) for name, value in back.items()} == {
        name: typed(value) for name, value in kwargs.items()
    }


@MODEST
@given(values, st.integers(4, 60))
def test_a_result_never_exceeds_its_limit(value: Any, limit: int) -> None:
    assert len(dumps_result(value, limit)) <= limit
