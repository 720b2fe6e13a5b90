"""What one job function leaves behind does not meet the next one on its thread."""

from __future__ import annotations

import ctypes
from datetime import UTC, datetime

import pytest
from django.contrib.auth.models import Group
from django.db import connections, transaction
from scheduler.engine.executors.runner import run
from scheduler.models.execution import Status

from . import bodies
from .one_thread import BODIES, run_of

pytestmark = pytest.mark.django_db(transaction=True)

LEFT_OPEN = "it left a transaction open on the database 'default': rolled back"


@pytest.fixture(autouse=True)
def _persistent_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a generated project: a connection serves many runs."""
    monkeypatch.setitem(connections.settings["default"], "CONN_MAX_AGE", 600)


def names() -> list[str]:
    return list(Group.objects.order_by("name").values_list("name", flat=True))


def test_language_zone_decimals_and_context_variables_are_fresh_for_each_run(call):
    before = call("read_context").return_value
    call("change_context")
    assert call("read_context").return_value == before


@pytest.mark.parametrize(
    "leave",
    ["leave_atomic_open", "suspend_inside_atomic", "leave_autocommit_off", "begin_by_hand"],
)
def test_a_transaction_that_is_left_open_fails_its_run_and_no_later_one(call, leave):
    left = call(leave, "lost")
    assert (left.status, left.reason) == (Status.FAILED, LEFT_OPEN)
    assert LEFT_OPEN in left.exception
    assert call("write", "kept").status is Status.SUCCEEDED
    assert names() == ["kept"]


def test_nested_blocks_that_an_exception_leaves_open_are_rolled_back_as_well(call):
    left = call("leave_nested_atomic_open_and_fail", "lost")
    assert (left.status, left.exception) == (Status.FAILED, "ValueError: on purpose")
    assert left.reason == LEFT_OPEN
    call("write", "kept")
    assert names() == ["kept"]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_generator_that_is_closed_later_ends_no_transaction_of_another_run(call):
    call("suspend_inside_atomic", "lost")
    call("write_while_a_generator_closes", "kept")
    assert "kept" in names()


def test_a_function_that_closes_its_transactions_keeps_its_connection(call):
    first = call("session_object").return_value
    call("write", "kept")
    assert call("session_object").return_value == first


@pytest.mark.parametrize("change", ["change_session", "behind_a_comment"])
def test_a_setting_of_the_session_ends_with_the_run(call, change):
    before = call("read_session").return_value
    call(change)
    assert call("read_session").return_value == before


def test_a_temporary_table_ends_with_the_run(call):
    assert call("temporary_table").status is Status.SUCCEEDED
    assert call("temporary_table").status is Status.SUCCEEDED, "the name is free again"


@pytest.mark.parametrize("read", ["half_read", "half_read_cursor"])
def test_what_is_half_read_holds_back_no_later_write(call, read):
    """On SQLite such a cursor keeps its snapshot, from which nobody may write."""
    Group.objects.bulk_create([Group(name=f"{number:04}") for number in range(300)])
    try:
        assert call(read).status is Status.SUCCEEDED
        Group.objects.create(name="of somebody else")
        assert call("write", "kept").exception == ""
        assert call("count").return_value == "302"
    finally:
        bodies.suspended.clear()


@pytest.mark.parametrize("change", ["wrap_statements", "rows_of_its_own", "mark_for_rollback"])
def test_what_a_function_sets_on_its_connection_meets_no_later_run(call, change):
    call("write", "open")
    assert call(change).status is Status.SUCCEEDED
    assert (call("count").return_value, call("count").exception) == ("1", "")


def test_what_a_function_changes_of_its_thread_meets_no_later_run(call):
    before = call("read_thread").return_value
    assert call("change_thread").status is Status.SUCCEEDED
    assert call("read_thread").return_value == before


def test_an_exception_that_a_timer_throws_too_late_costs_no_thread(call):
    """As decorators for timeouts do: the function has ended, and its thread waits for the next."""
    ident = ctypes.c_ulong(int(call("thread").return_value))
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ident, ctypes.py_object(TimeoutError))
    assert call("thread").return_value == str(ident.value)
    assert call("write", "kept").status is Status.SUCCEEDED


def test_a_dead_connection_fails_no_later_run(call):
    call("lose_the_connection")
    assert call("write", "kept").status is Status.SUCCEEDED


def test_a_transaction_left_open_inside_a_tests_own_goes_back_to_the_tests(db):
    """Where job functions run inline, as in a test, the caller's transaction survives."""

    with transaction.atomic():
        Group.objects.create(name="before")
        left = run(run_of(f"{BODIES}:leave_atomic_open", ["lost"]), lambda: datetime.now(UTC))
        assert (left.status, left.reason) == (Status.FAILED, LEFT_OPEN)
        assert names() == ["before"]
    assert names() == ["before"]


def test_a_fork_that_the_function_does_not_end_ends_and_delivers_nothing(call, tmp_path):
    result = call("fork", str(tmp_path / "child"))
    assert (result.status, result.return_value) == (Status.SUCCEEDED, "0")
    assert (tmp_path / "child").read_text() == "child"
    assert call.results.empty()


@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited")
@pytest.mark.parametrize(
    "name",
    ["generator", "async_generator", "lazy_map", "lazy_chain", "lazy_zip", "coroutine_in_a_list",
     "generator_in_a_dictionary", "context_manager", "decorator_without_brackets", "half_applied",
     "coroutine_in_a_list_of_lists", "coroutine_in_a_named_tuple", "coroutine_in_a_deque",
     "coroutine_in_an_ordered_dictionary", "promise_in_a_list", "future_in_a_list",
     "task_in_a_dictionary", "result_of_a_pool", "thread_that_nobody_starts"],
)  # fmt: skip
def test_a_function_that_only_promises_its_work_did_not_succeed(call, name):
    bodies.done.clear()
    result = call(name)
    assert result.status is Status.FAILED
    assert "its work was not done" in result.exception
    assert bodies.done == []


@pytest.mark.parametrize("name", ["work", "promise", "promised", "partial", "future", "task"])
def test_whatever_can_be_awaited_is_awaited(call, name):
    bodies.done.clear()
    assert call(name).return_value == '"worked"'
    assert bodies.done == ["ran"]


def test_a_future_that_fails_fails_its_run(call):
    result = call("future_that_fails")
    assert (result.status, result.exception_class) == (Status.FAILED, "builtins.ValueError")


def test_tasks_that_a_coroutine_leaves_are_named_in_its_log(call):
    result = call("task_left_behind")
    assert result.return_value == "1"
    assert "It left asyncio tasks that are cancelled now; await them" in result.log
    assert "sleep" in result.log
    assert call("task").log == ""


def test_a_generator_that_has_begun_is_a_value_like_any_other(call):
    assert call("begun").status is Status.SUCCEEDED
