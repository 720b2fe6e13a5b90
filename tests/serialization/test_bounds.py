"""What arguments and results may cost, however they are built."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.urls import reverse
from scheduler import scheduler
from scheduler.masking import scrubbed, shown
from scheduler.models import Execution, Job
from scheduler.serialization import (
    SerializationError,
    dumps_args,
    dumps_kwargs,
    dumps_result,
    loads_args,
    loads_kwargs,
)
from scheduler.serialization.encode import MAX_CHARS
from scheduler.tasks.arguments import dump_result, load_result

from tests import bodies

DEPTHS = (150, 400, 3_000, 100_000)


def shared(levels: int, wrap: Any = lambda inner: [inner, inner]) -> Any:
    """Few objects, of which the text would have 2 ** levels parts."""
    value: Any = "x"
    for _ in range(levels):
        value = wrap(value)
    return value


def json_of(levels: int) -> str:
    return "[" * levels + "]" * levels


@pytest.mark.parametrize(
    "wrap",
    [
        lambda inner: [inner, inner],
        lambda inner: (inner, inner),
        lambda inner: {"a": inner, "b": inner},
        lambda inner: {1: inner, 2: inner},
        lambda inner: frozenset({inner, (inner, inner)}),
    ],
    ids=["list", "tuple", "dict", "dict of numbers", "frozenset"],
)
def test_an_object_that_is_referenced_many_times_is_refused_before_it_fills_the_memory(wrap):
    with pytest.raises(SerializationError, match="Pass a key or a path"):
        dumps_args([shared(40, wrap)])
    with pytest.raises(SerializationError, match="Pass a key or a path"):
        dumps_kwargs({"tree": shared(40, wrap)})


@pytest.mark.parametrize("value", ["a", b"a"])
def test_long_texts_count_by_their_length(value):
    assert len(dumps_args([value * 1_000_000])) > 1_000_000
    with pytest.raises(SerializationError, match=f"more than {MAX_CHARS} characters"):
        dumps_args([value * 1_000_000] * 5)


def test_a_shared_result_is_cut_like_any_other_that_is_too_long():
    for limit in (30, 100, 16_384):
        text = dumps_result(shared(40), limit)
        assert len(text) <= limit
        assert json.loads(text)["$cut"].startswith("[" * min(limit - 12, 40))


@pytest.mark.parametrize("limit", range(4, 40))
def test_a_result_that_fits_is_whole_and_one_that_does_not_is_cut(limit):
    for value in ([1] * 10, ["ab"] * 4, {"a": 1, "b": [2]}, (1, 2), {1: 2}, [[], [], []]):
        whole = dumps_result(value, 10_000)
        text = dumps_result(value, limit)
        assert (text == whole) == (len(whole) <= limit)


def test_a_shared_result_with_an_object_inside_is_named_instead_of_shown():
    text = dumps_result(shared(40, lambda inner: [inner, inner, object()]), 16_384)
    assert json.loads(text)["$repr"] == "<list of 3 items, with what they refer to>"


@pytest.mark.parametrize("depth", DEPTHS)
def test_deep_json_is_refused_by_name_and_not_by_recursion(depth):
    for loads, text in (
        (loads_args, f"[{json_of(depth)}]"),
        (loads_kwargs, f'{{"a":{json_of(depth)}}}'),
    ):
        with pytest.raises(SerializationError, match="nested too deeply"):
            loads(text)


def test_what_can_be_stored_at_the_greatest_depth_can_be_read_in_any_wrapping():
    for wrap in (lambda v: [v], lambda v: (v,), lambda v: {"a": v}, lambda v: {1: v}):
        value: Any = 1
        for _ in range(100):
            value = wrap(value)
        assert loads_args(dumps_args([value])) == (value,)
        with pytest.raises(SerializationError, match="nested too deeply"):
            dumps_args([wrap(value)])


def test_a_task_that_returns_deep_json_fails_by_name():
    value = json.loads(json_of(100))
    assert load_result(dump_result(value)) == value
    for levels in (150, 900):
        with pytest.raises(ValueError, match="nested too deeply"):
            dump_result(json.loads(json_of(levels)))


@pytest.mark.django_db
@pytest.mark.parametrize("depth", DEPTHS)
def test_a_row_with_deep_arguments_breaks_no_page_and_no_mask(admin_client, depth):
    scheduler.add_job(bodies.add, "interval", hours=1, id="deep", kwargs={"a": 1})
    text = f'{{"a":{json_of(depth)},"password":"hunter2-canary"}}'
    Job.objects.update(kwargs=text, args=f"[{json_of(depth)}]", sensitive='["password"]')
    row = Job.objects.get()
    assert "hunter2" not in scrubbed("hunter2-canary", row)
    shown(row)
    run = Execution.for_job(row, status="failed", return_value=json_of(depth))
    run.due_at = run.queued_at = row.created_at
    run.save()
    pages = [reverse("admin:scheduler_job_changelist"), "/admin/scheduler/"]
    pages += [f"/admin/scheduler/job/deep/{page}/" for page in ("change", "run", "history")]
    pages += [f"/admin/scheduler/execution/{run.pk}/change/"]
    for page in pages:
        answer = admin_client.get(page)
        assert answer.status_code == 200, page
        assert b"hunter2" not in answer.content, page


@pytest.mark.parametrize("key", [str, int, lambda n: f"{n:100}", lambda n: (n,)])
def test_of_a_result_with_many_keys_no_part_is_taken_for_the_whole(key):
    text = dumps_result({key(n): n for n in range(50_000)}, 2_000)
    assert text.startswith('{"$cut":')
    assert len(text) > 1_900
