"""``add_jobs``: many jobs at once are each what ``add_job`` would have made, all or none."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from apscheduler.events import EVENT_JOB_ADDED
from apscheduler.jobstores.base import ConflictingIdError
from django.db import connection, transaction
from django.db.models.signals import post_save
from django.test.utils import CaptureQueriesContext
from scheduler import scheduler
from scheduler.db import clock
from scheduler.definitions import changes
from scheduler.definitions.changes import changed_by
from scheduler.models import Change, Execution, Job
from scheduler.schedulers.blocking import DjangoScheduler
from scheduler.serialization import SerializationError

pytestmark = pytest.mark.django_db

TOMORROW = datetime.now(UTC).replace(microsecond=0) + timedelta(days=1)
KINDS: list[dict[str, Any]] = [
    {"trigger": "date", "run_date": TOMORROW, "args": [1], "name": "a letter: ü, \\N \\. 雪"},
    {"trigger": "interval", "hours": 1, "start_date": TOMORROW, "kwargs": {"number": 'a "b"\n'}},
    {"trigger": "cron", "hour": 3, "args": [None], "max_instances": 3, "coalesce": False},
    {"trigger": "0 3 * * *", "args": [1], "executor": "processes", "timeout": 9.5},
    {"trigger": "@daily", "args": [1], "max_retries": 2, "retry_delay": 1.5},
    {"trigger": "date", "run_date": TOMORROW, "args": [1], "next_run_time": None},
    {"trigger": "date", "run_date": TOMORROW, "args": [1], "misfire_grace_time": 60,
     "on_lost": "retry", "sensitive": ["number"]},
]  # fmt: skip


def body(number: Any) -> None: ...


def _columns(model: Any, *left_out: str, **wanted: Any) -> dict[str, Any]:
    row = model.objects.filter(**wanted).values().get()
    return {name: value for name, value in row.items() if name not in left_out}


@pytest.mark.parametrize("arguments", KINDS)
def test_a_job_of_many_is_stored_as_add_job_stores_it_with_its_change(arguments):
    arguments = {"func": body, **arguments}
    with changed_by("ada"):
        scheduler.add_job(**arguments, id="alone")
        (added,) = scheduler.add_jobs([{**arguments, "id": "of many"}])
    own = ("id", "uid", "created_at", "updated_at")
    assert _columns(Job, *own, id="alone") == _columns(Job, *own, id="of many")
    own = ("id", "job_id", "job_uid", "at")
    alone = _columns(Change, *own, job_id="alone")
    assert alone == _columns(Change, *own, job_id="of many")
    assert alone["by"] == "ada"
    assert Change.objects.get(job_id="of many").job_uid == Job.objects.get(id="of many").uid
    assert added.next_run_time == scheduler.get_job("of many").next_run_time


def test_a_thousand_jobs_are_added_with_a_few_statements():
    many = [{"func": body, "trigger": "interval", "hours": 1, "args": [n]} for n in range(1000)]
    with CaptureQueriesContext(
        connection,
    ) as captured:
        added = scheduler.add_jobs(many)
    assert len(captured) < 10
    assert {job.id for job in added} == set(Job.objects.values_list("id", flat=True))
    assert Change.objects.filter(action="added").count() == 1000


def test_a_thousand_jobs_are_removed_with_a_few_statements_and_a_change_each():
    scheduler.add_job(body, "date", args=[1], id="one")
    scheduler.add_job(body, "date", args=[1], id="queued")
    scheduler.run_now("queued")
    scheduler.remove_job("one")
    many = [{"func": body, "trigger": "date", "args": [1], "id": f"{n}"} for n in range(1000)]
    scheduler.add_jobs(many)
    with CaptureQueriesContext(connection) as captured:
        scheduler.remove_all_jobs()
    assert len(captured) < 25
    assert not Job.objects.exists()
    assert Execution.objects.get().status == "cancelled"
    removed = Change.objects.filter(action="removed")
    assert removed.count() == 1002
    one, seven = removed.get(job_id="one"), removed.get(job_id="7")
    assert (one.before[:40], one.after, one.by) == (seven.before[:40], seven.after, seven.by)


def test_ids_that_are_taken_are_named_and_nothing_is_added():
    for id in ("b", "a"):
        scheduler.add_job(body, "date", args=[1], id=id)
    many = [{"func": body, "args": [1], "id": id} for id in "abcd"]
    with transaction.atomic():
        with pytest.raises(ConflictingIdError, match=r"No job was added.*: 'a', 'b'") as raised:
            scheduler.add_jobs(many)
        assert Job.objects.count() == 2, "the surrounding transaction is spoilt"
    assert raised.value.job_ids == ["a", "b"]
    assert Change.objects.count() == 2


def test_an_id_that_is_given_twice_is_named_and_nothing_is_added():
    many = [{"func": body, "args": [1], "id": id} for id in ("a", "b", "a")]
    with pytest.raises(ConflictingIdError, match="given twice: 'a'"):
        scheduler.add_jobs(many)
    assert not Job.objects.exists()


@pytest.mark.parametrize(
    ("wrong", "error", "says"),
    [
        ({"trigger": "intervall"}, ValueError, r"jobs\[1\]: .*intervall"),
        ({"args": [1, 2]}, ValueError, r"jobs\[1\]: "),
        ({"args": [object()]}, SerializationError, "object"),
        ({"id": "a\nb"}, ValueError, "id of a job"),
        ({"timeout": 3}, ValueError, r"jobs\[1\]: timeout"),
        ({"replace_existing": True}, ValueError, r"jobs\[1\]: .*replace_existing"),
    ],
)
def test_one_that_cannot_become_a_job_keeps_all_others_out(wrong, error, says):
    good = {"func": body, "trigger": "date", "args": [1]}
    with pytest.raises(error, match=says):
        scheduler.add_jobs([good, {**good, **wrong}, good])
    assert not Job.objects.exists()
    assert not Change.objects.exists()


def test_listeners_hear_of_each_job():
    heard: list[str] = []
    listen = lambda event: heard.append(event.job_id)  # noqa: E731
    scheduler.add_listener(listen, EVENT_JOB_ADDED)
    try:
        scheduler.add_jobs([{"func": body, "args": [1], "id": id} for id in "ab"])
    finally:
        scheduler.remove_listener(listen)
    assert heard == ["a", "b"]


def test_no_jobs_are_added_by_an_empty_list():
    assert scheduler.add_jobs([]) == []


def test_a_scheduler_that_has_not_started_names_the_client():
    with pytest.raises(RuntimeError, match="from scheduler import scheduler"):
        DjangoScheduler().add_jobs([])


def _statements(add: Any) -> list[str]:
    with CaptureQueriesContext(connection) as captured:
        add()
    return [each["sql"] for each in captured]


def test_a_job_in_a_transaction_costs_one_trip_and_no_savepoint(monkeypatch):
    monkeypatch.setattr(clock, "ASK_AFTER", 3600.0)
    arguments = {"func": body, "trigger": "interval", "hours": 1, "args": [1]}
    with transaction.atomic():
        scheduler.add_job(**arguments)
        statements = _statements(lambda: scheduler.add_job(**arguments))
    # SQLite has no trips: it is told of the job and of the change.
    assert len(statements) == (2 if connection.vendor == "sqlite" else 1), statements
    assert Change.objects.count() == Job.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_a_job_by_itself_costs_two_trips(monkeypatch):
    monkeypatch.setattr(clock, "ASK_AFTER", 3600.0)
    scheduler.add_job(body, "interval", hours=1, args=[1])
    statements = _statements(lambda: scheduler.add_job(body, "interval", hours=1, args=[1]))
    # SQLite: BEGIN, both rows, COMMIT; the others begin with the rows.
    assert len(statements) == (4 if connection.vendor == "sqlite" else 2), statements


def test_a_taken_id_leaves_the_surrounding_transaction_and_what_it_wrote():
    with transaction.atomic():
        first = scheduler.add_job(body, "date", args=[1], id="a")
        with pytest.raises(ConflictingIdError):
            scheduler.add_job(body, "date", args=[2], id="a")
        scheduler.add_job(body, "date", args=[1], id="b")
    assert [job.id for job in Job.objects.order_by("id")] == ["a", "b"]
    assert scheduler.get_job("a").args == first.args
    assert Change.objects.count() == 2


def test_a_job_is_seen_by_receivers_of_its_save_before_the_commit():
    seen: list[tuple[bool, bool]] = []

    def receive(instance: Job, created: bool, **_: Any) -> None:
        seen.append((created, Job.objects.filter(pk=instance.pk).exists()))
        if len(seen) == 2:
            raise OSError("refused")

    post_save.connect(receive, Job)
    try:
        scheduler.add_job(body, "date", args=[1], id="a")
        with pytest.raises(OSError, match="refused"), transaction.atomic():
            scheduler.add_job(body, "date", args=[1], id="b")
    finally:
        post_save.disconnect(receive, Job)
    assert seen == [(True, True), (True, True)]
    assert Job.objects.get().id == "a"
    assert Change.objects.get().job_id == "a"


def test_a_call_that_its_function_does_not_take_is_refused_for_each_of_many():
    for _ in range(2):
        with pytest.raises(ValueError, match="number"):
            scheduler.add_job(body, "date")
        with pytest.raises(ValueError, match="other"):
            scheduler.add_job(body, "date", args=[1], kwargs={"other": 1})
    scheduler.add_job(body, "date", kwargs={"number": 1})


def test_many_jobs_are_removed_a_part_at_a_time(monkeypatch):
    monkeypatch.setattr(changes, "AT_ONCE", 3)
    scheduler.add_jobs([{"func": body, "args": [n], "id": f"{n}"} for n in range(7)])
    sizes: list[int] = []
    delete = changes._delete_some
    monkeypatch.setattr(
        changes, "_delete_some", lambda rows, using: (sizes.append(len(rows)), delete(rows, using))
    )
    scheduler.remove_all_jobs()
    assert sizes == [3, 3, 1]
    assert not Job.objects.exists()
    assert Change.objects.filter(action="removed").count() == 7
