"""``SchedulerBackend``: what is enqueued, what the scheduler does with it, what is read back."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext, override_settings
from scheduler.models import Execution
from scheduler.tasks.api import (
    InvalidTask,
    InvalidTaskBackend,
    Task,
    TaskResultDoesNotExist,
    TaskResultStatus,
    task_backends,
    task_enqueued,
    task_finished,
    task_started,
)
from scheduler.testing import drain, run_due, scheduler_clock

from . import bodies

__all__ = ["scheduler_clock"]

pytestmark = pytest.mark.django_db

BACKEND = "scheduler.tasks.SchedulerBackend"


def options(**given: Any) -> Any:
    return override_settings(TASKS={"default": {"BACKEND": BACKEND, "OPTIONS": given}})


def test_a_task_runs_once_and_its_result_is_read_back():
    result = bodies.add.enqueue(2, b=40)
    assert (result.status, result.attempts) == (TaskResultStatus.READY, 0)

    [row] = run_due()
    assert (row.job_id, row.kind) == ("task:tests.tasks.bodies.add", "task")
    assert run_due() == []
    result.refresh()
    assert (result.status, result.return_value) == (TaskResultStatus.SUCCESSFUL, 42)
    assert (result.attempts, result.errors) == (1, [])
    assert result.worker_ids == [str(row.node_id)]
    assert result == bodies.add.get_result(result.id)


def test_an_async_task_is_awaited():
    result = bodies.later.enqueue()
    run_due()
    result.refresh()
    assert result.return_value == "later"


@pytest.mark.parametrize(
    ("task", "args", "path", "text"),
    [
        (bodies.fail, ["no order 7"], "builtins.LookupError", "LookupError: no order 7"),
        (bodies.fail_later, [], "builtins.ValueError", "ValueError: an async task failed"),
        (bodies.give_object, [], "builtins.TypeError", "Unsupported type"),
    ],
)
def test_a_failure_names_its_class_and_its_traceback(task, args, path, text):
    result = task.enqueue(*args)
    run_due()
    result.refresh()
    assert result.status == TaskResultStatus.FAILED
    [error] = result.errors
    assert error.exception_class_path == path
    assert error.exception_class.__name__ == path.rpartition(".")[2]
    assert text in error.traceback
    assert "Traceback" in error.traceback


def test_a_cancelled_task_says_so_in_its_errors():
    from scheduler import scheduler
    from scheduler.errors import RunEndedError

    result = bodies.add.enqueue(1)
    scheduler.cancel(Execution.objects.get().pk, requested_by="ada")
    result.refresh()
    assert result.status == TaskResultStatus.FAILED
    [error] = result.errors
    assert error.exception_class is RunEndedError
    assert "cancelled by ada" in error.traceback


def test_one_that_is_rolled_back_does_not_exist():
    with transaction.atomic():
        result = bodies.add.enqueue(1)
        transaction.set_rollback(True)
    with pytest.raises(TaskResultDoesNotExist, match=result.id):
        bodies.add.get_result(result.id)
    assert run_due() == []


def test_run_after_is_waited_for(scheduler_clock):
    at = scheduler_clock.now() + timedelta(hours=1)
    result = bodies.add.using(run_after=at).enqueue(1)
    assert run_due() == []
    assert bodies.add.get_result(result.id).task.run_after == at

    scheduler_clock.tick(hours=1)
    assert [row.started_at for row in run_due()] == [at]


def test_a_run_after_that_is_over_overtakes_nobody(scheduler_clock):
    first = bodies.note.enqueue("first")
    bodies.note.using(run_after=datetime(2001, 1, 1, tzinfo=UTC)).enqueue("late")
    bodies.calls.clear()
    run_due()
    assert bodies.calls == ["first", "late"]
    assert first.enqueued_at == scheduler_clock.now()


def test_a_higher_priority_starts_first_among_what_is_due(scheduler_clock):
    for priority in (0, -100, 50, 100, 0):
        bodies.note.using(priority=priority).enqueue(priority)
    bodies.note.using(priority=100, run_after=scheduler_clock.now() + timedelta(days=1)).enqueue(9)
    bodies.calls.clear()
    run_due()
    assert bodies.calls == [100, 50, 0, 0, -100]


def test_attempts_share_one_result(scheduler_clock):
    with options(max_retries=3, retry_delay=60):
        result = bodies.attempt.enqueue()
        [first] = run_due()
        result.refresh()
        assert (result.status, result.attempts) == (TaskResultStatus.READY, 1)
        assert [error.exception_class for error in result.errors] == [RuntimeError]

        drain()
        result.refresh()
        assert result.return_value == [2, result.id, 2]
        assert (result.started_at, result.attempts) == (first.started_at, 2)
        assert result.last_attempted_at == first.finished_at + timedelta(seconds=60)


def test_the_options_are_the_rows():
    given = {"max_retries": 2, "retry_delay": 5, "on_lost": "retry", "timeout": 9, "warn_after": 3}
    with options(**given, sensitive=["a"], executors={"default": "processes"}):
        bodies.add.using(priority=7).enqueue(1)
    row = Execution.objects.get()
    assert {name: getattr(row, name) for name in given} == given
    assert (row.sensitive, row.executor, row.priority) == ('["a"]', "processes", 7)
    assert (row.task_backend, row.task_queue) == ("default", "default")


def test_a_queue_is_an_executor():
    with options(executors={"mail": "processes"}):
        for queue in ("default", "processes", "mail"):
            bodies.add.using(queue_name=queue).enqueue(1)
    rows = Execution.objects.order_by("id").values_list("task_queue", "executor")
    assert list(rows) == [("default", "default"), ("processes", "processes"), ("mail", "processes")]


def test_a_task_s_context_knows_its_result():
    result = bodies.own_id.enqueue(suffix="!")
    run_due()
    result.refresh()
    assert result.return_value == f"{result.id}!"


def test_signals_come_with_what_happened():
    heard: list[tuple[str, str, str]] = []

    def hear(name: str) -> Any:
        def receiver(sender: Any, task_result: Any, **_: Any) -> None:
            heard.append((name, task_result.id, str(task_result.status)))

        return receiver

    signals = {"enqueued": task_enqueued, "started": task_started, "finished": task_finished}
    receivers = {name: hear(name) for name in signals}
    for name, signal in signals.items():
        signal.connect(receivers[name])
    try:
        with options(max_retries=1):
            result = bodies.attempt.enqueue()
            drain()
    finally:
        for name, signal in signals.items():
            signal.disconnect(receivers[name])
    assert heard == [
        ("enqueued", result.id, "READY"),
        ("started", result.id, "RUNNING"),
        ("started", result.id, "RUNNING"),
        ("finished", result.id, "SUCCESSFUL"),
    ]


def test_an_enqueue_is_one_statement():
    with CaptureQueriesContext(connection) as queries:
        bodies.add.enqueue(1)
    assert len(queries) == 1, [query["sql"] for query in queries]


@pytest.mark.parametrize("name", ["it's 100%", 'a "b" \\ c', "%s", "\U0001f40d"])
def test_a_queue_may_have_any_name(name):
    with options(executors={name: "processes"}):
        task_backends["default"].enqueue_many(bodies.add.using(queue_name=name), [((1,), {})] * 2)
        bodies.add.using(queue_name=name).enqueue(1)
    assert set(Execution.objects.values_list("task_queue", "executor")) == {(name, "processes")}


def test_one_with_run_after_does_not_hold_up_the_next(scheduler_clock):
    bodies.add.using(run_after=scheduler_clock.now() + timedelta(hours=1)).enqueue(1)
    scheduler_clock.tick(minutes=1)
    result = bodies.add.enqueue(2)
    assert result.enqueued_at == scheduler_clock.now()
    assert [row.due_at for row in run_due()] == [scheduler_clock.now()]


def test_many_start_in_the_order_of_their_calls_and_not_before_their_time(scheduler_clock):
    later = bodies.note.using(run_after=scheduler_clock.now() + timedelta(hours=1))
    task_backends["default"].enqueue_many(later, [((n,), {}) for n in range(5)])
    bodies.calls.clear()
    assert run_due() == []
    scheduler_clock.tick(hours=1)
    run_due()
    assert bodies.calls == [0, 1, 2, 3, 4]


def test_many_are_enqueued_at_once():
    calls = [((n,), {"b": 1}) for n in range(2_500)]
    with CaptureQueriesContext(connection) as queries:
        results = task_backends["default"].enqueue_many(bodies.add, calls)
    assert Execution.objects.count() == 2_500
    assert len({result.id for result in results}) == 2_500
    assert len(queries) <= {"postgresql": 1}.get(connection.vendor, 2_500 / 10)
    assert task_backends["default"].enqueue_many(bodies.add, []) == []
    row = Execution.objects.get(job_uid=results[7].id)
    assert (row.args, row.kwargs) == ("[7]", '{"b":1}')


def test_aenqueue_and_aget_result():
    async def both() -> Any:
        result = await bodies.add.aenqueue(1)
        [other] = await task_backends["default"].aenqueue_many(bodies.add, [((2,), {})])
        await other.arefresh()
        return await bodies.add.aget_result(result.id)

    assert async_to_sync(both)().args == [1]


@pytest.mark.parametrize(
    "value",
    [None, [1, [2.5, "x\0\ud800"]], {"$date": "2026-01-01"}, {"a": {"$tuple": [1]}, "$": 1}, {}],
)
def test_json_comes_back_as_it_was(value):
    bodies.calls.clear()
    result = bodies.note.enqueue(value)
    run_due()
    assert bodies.calls == [value]
    assert bodies.note.get_result(result.id).args == [value]


class TestBadInput:
    """Django's own exceptions, which say what and where; nothing is stored."""

    @pytest.fixture(autouse=True)
    def nothing_is_stored(self, db):
        yield
        assert not Execution.objects.exists()

    @pytest.mark.parametrize("value", [datetime.now(UTC), {1, 2}, object(), float("nan"), b"\xff"])
    def test_what_json_cannot_carry(self, value):
        with pytest.raises((TypeError, ValueError), match=r"args\[1\] of the task tests.tasks.bod"):
            bodies.add.enqueue(1, value)
        with pytest.raises((TypeError, ValueError), match=r"kwargs\['b'\] of the task tests.task"):
            task_backends["default"].enqueue_many(bodies.add, [((1,), {}), ((1,), {"b": value})])

    def test_an_unknown_queue(self):
        with pytest.raises(InvalidTask, match=r"Queue 'mial'.*bodies.add.*queues: default, proc"):
            bodies.add.using(queue_name="mial")

    def test_a_naive_moment(self):
        with pytest.raises(InvalidTask, match=r"aware.*tests.tasks.bodies.add"):
            bodies.add.using(run_after=datetime(2026, 1, 1))

    @pytest.mark.parametrize("priority", [-101, 101, 0.5])
    def test_a_priority_out_of_range(self, priority):
        with pytest.raises(InvalidTask, match=r"-100 and 100.*tests.tasks.bodies.add"):
            bodies.add.using(priority=priority)

    def test_a_function_of_no_module(self):
        with pytest.raises(InvalidTask, match=r"module level.*<lambda>"):
            Task(func=lambda: None)

    def test_a_function_outside_the_installed_apps(self):
        with pytest.raises(InvalidTask, match="APSCHEDULER_ALLOWED_MODULES"):
            Task(func=asyncio.run).enqueue()

    @pytest.mark.parametrize("id", ["123", "", "7d444840-9dc0-11d1-b245-5ffdce74fad2"])
    def test_no_such_result(self, id):
        with pytest.raises(TaskResultDoesNotExist, match="no task of the backend 'default'"):
            bodies.add.get_result(id)

    @pytest.mark.parametrize(
        ("given", "message"),
        [
            ({"max_retires": 1}, "unknown option 'max_retires'. Known: executors, keep_days, max"),
            ({"max_retries": "1"}, "max_retries must be a whole number"),
            ({"on_lost": "again"}, "on_lost must be one of fail, retry"),
            ({"executors": {"mail": "threads"}}, "Unknown executor 'threads'"),
            ({"keep_days": 0}, "keep_days must be more than 0"),
            ({"timeout": 5}, "a thread cannot be ended"),
        ],
    )
    def test_an_option(self, given, message):
        with options(**given), pytest.raises(InvalidTaskBackend, match=message) as caught:
            task_backends["default"].enqueue(bodies.add, [], {})
        assert str(caught.value).startswith('TASKS["default"]["OPTIONS"]: ')


def test_a_result_of_another_backend_is_not_found():
    both = {"default": {"BACKEND": BACKEND}, "other": {"BACKEND": BACKEND}}
    with override_settings(TASKS=both):
        result = bodies.add.using(backend="other").enqueue(1)
        with pytest.raises(TaskResultDoesNotExist, match="'default'"):
            task_backends["default"].get_result(result.id)
        assert task_backends["other"].get_result(result.id) == result


def test_the_result_of_a_task_that_left_the_code_says_so():
    result = bodies.add.enqueue(1)
    Execution.objects.update(func="tests.tasks.bodies:gone")
    with pytest.raises(TaskResultDoesNotExist, match=r"bodies.gone cannot be imported"):
        bodies.add.get_result(result.id)
    Execution.objects.update(func="tests.tasks.bodies:plain")
    with pytest.raises(TaskResultDoesNotExist, match="is no task any more"):
        bodies.add.get_result(result.id)
