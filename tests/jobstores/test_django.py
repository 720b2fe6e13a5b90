"""What ``DjangoJobStore`` promises beyond APScheduler's own tests of job stores."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from apscheduler.jobstores.base import ConflictingIdError, JobLookupError
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.calendarinterval import CalendarIntervalTrigger
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger
from django.db import OperationalError, connection, transaction
from scheduler import triggers
from scheduler.definitions.stored import StoredJob
from scheduler.jobstore import DjangoJobStore
from scheduler.models import Change, Job
from scheduler.models.job import JobState

from tests.bodies import add, noop

pytestmark = pytest.mark.django_db(transaction=True)
BERLIN = ZoneInfo("Europe/Berlin")
SOON = datetime(2030, 1, 1, 12, 0, 0, 123456, tzinfo=UTC)


@pytest.fixture
def store():
    store = DjangoJobStore()
    store.start(None, "default")
    yield store
    store.shutdown()


def job(id="a", *, trigger=None, at=SOON, func=noop, **options):
    made = StoredJob(None, id=id, func=func, trigger=trigger or CronTrigger(hour=3, timezone="UTC"),
                  executor="default", **{"args": (), "kwargs": {}, "coalesce": True,
                  "max_instances": 1, "misfire_grace_time": None} | options)  # fmt: skip
    made.next_run_time, made._explicit = at, None
    return made


@pytest.mark.parametrize("other", ["A", "a ", "á", "\uff41"])
def test_ids_are_compared_byte_for_byte(store, other):
    store.add_job(job("a"))
    store.add_job(job(other))

    store.remove_job(other)

    assert [found.id for found in store.get_all_jobs()] == ["a"]
    assert store.lookup_job(other) is None


def test_a_conflicting_id_leaves_the_surrounding_transaction_usable(store):
    store.add_job(job("a"))
    with transaction.atomic():
        with pytest.raises(ConflictingIdError):
            store.add_job(job("a"))
        store.add_job(job("b"))

    assert {row.id for row in Job.objects.all()} == {"a", "b"}


def test_run_times_are_exact_and_due_to_the_microsecond(store):
    store.add_job(job("a"))

    assert store.get_next_run_time() == SOON
    assert store.get_due_jobs(SOON - timedelta(microseconds=1)) == []
    assert [found.id for found in store.get_due_jobs(SOON)] == ["a"]


def test_the_run_time_comes_back_in_the_zone_of_the_trigger(store):
    trigger = CalendarIntervalTrigger(days=1, hour=0, start_date="2030-01-01", timezone=BERLIN)
    midnight = datetime(2030, 1, 2, tzinfo=BERLIN)
    store.add_job(job("a", trigger=trigger, at=midnight))

    found = store.get_due_jobs(midnight)[0]

    assert found.next_run_time.tzinfo is not UTC
    assert found.next_run_time.day == 2
    following = found.trigger.get_next_fire_time(found.next_run_time, midnight)
    assert following == datetime(2030, 1, 3, tzinfo=BERLIN)


def test_equal_run_times_are_ordered_by_id_and_paused_jobs_come_last(store):
    store.add_job(job("b"))
    store.add_job(job("paused", at=None))
    store.add_job(job("a"))
    store.add_job(job("first", at=SOON - timedelta(hours=1)))

    assert [found.id for found in store.get_all_jobs()] == ["first", "a", "b", "paused"]


@pytest.mark.parametrize(
    "broken",
    [
        {"func": "tests.bodies:gone"},
        {"func": "no_such_module:f"},
        {"func": "os:getcwd"},
        {"trigger": '{"type":"cron","hour":"25"}'},
        {"trigger": "not JSON"},
        {"args": "[1"},
        {"kwargs": "[]"},
    ],
    ids=str,
)
def test_what_cannot_be_loaded_is_quarantined_shown_and_hidden_from_the_loop(store, broken):
    store.add_job(job("broken", at=SOON - timedelta(hours=1)))
    store.add_job(job("good"))
    Job.objects.filter(pk="broken").update(**broken)

    assert store.get_next_run_time() == SOON
    assert [found.id for found in store.get_all_jobs()] == ["good"]
    assert [found.id for found in store.get_due_jobs(SOON)] == ["good"]
    row = Job.objects.get(pk="broken")
    assert row.state == JobState.QUARANTINED
    assert "broken" in row.last_error
    assert row.next_run_time == SOON - timedelta(hours=1)
    assert Change.objects.filter(job_id="broken", action="quarantined").count() == 1
    assert store.get_next_run_time() == SOON


def test_looking_does_not_quarantine(store):
    """A web process of the release before must not stop a job that only the new one can load."""
    store.add_job(job("newer"))
    Job.objects.update(func="tests.bodies:comes_with_the_next_release")

    assert store.get_all_jobs() == []
    assert Job.objects.get().state == JobState.ACTIVE


def test_an_update_writes_only_what_changed_since_it_was_read(store):
    store.add_job(job("a", func=add, args=(1,)))
    read = store.lookup_job("a")
    Job.objects.update(state=JobState.PAUSED, next_run_time=None, max_instances=7)

    read._modify(name="renamed")
    store.update_job(read)

    row = Job.objects.get()
    assert (row.name, row.max_instances) == ("renamed", 7)
    assert (row.state, row.next_run_time) == (JobState.PAUSED, None)


def test_an_update_of_nothing_writes_nothing(store, django_assert_num_queries):
    store.add_job(job("a", func=add, kwargs={"b": 2, "a": 1}))
    Job.objects.update(kwargs='{ "b": 2, "a": 1 }')
    read = store.lookup_job("a")
    before = Job.objects.get().updated_at

    store.update_job(read)

    assert Job.objects.get().updated_at == before
    assert Change.objects.count() == 1


def test_an_update_never_brings_a_removed_job_back(store):
    store.add_job(job("a"))
    read = store.lookup_job("a")
    store.remove_job("a")
    read._modify(name="again")
    with pytest.raises(JobLookupError):
        store.update_job(read)

    store.add_job(job("a"))
    with pytest.raises(JobLookupError):
        store.update_job(read)
    assert Job.objects.get().name == "noop"


@pytest.mark.parametrize(
    "make",
    [
        lambda: IntervalTrigger(hours=1, timezone="UTC"),
        lambda: CronTrigger(hour=3, timezone="Europe/Berlin"),
        lambda: CalendarIntervalTrigger(days=2, timezone="UTC"),
        lambda: triggers.build("interval", minutes=7),
        lambda: triggers.build("crontab", expr="0 3 * * *", jitter=30),
    ],
    ids=["interval", "cron", "calendarinterval", "ours", "jitter"],
)
def test_registering_an_unchanged_trigger_again_keeps_its_next_run(make):
    first = start_with(make())
    Job.objects.update(next_run_time=SOON)

    again = start_with(make(), name="renamed")

    row = Job.objects.get()
    assert (row.name, row.next_run_time) == ("renamed", SOON)
    assert row.uid == first.uid == again.uid
    assert row.planned_trigger == row.trigger


def test_registering_again_keeps_a_pause(store):
    start_with(CronTrigger(hour=3, timezone="UTC"))
    Job.objects.update(state=JobState.PAUSED, next_run_time=None)

    start_with(CronTrigger(hour=3, timezone="UTC"))
    assert Job.objects.get().state == JobState.PAUSED
    start_with(CronTrigger(hour=4, timezone="UTC"))

    row = Job.objects.get()
    assert (row.state, row.next_run_time) == (JobState.PAUSED, None)
    assert '"4"' in row.trigger


def test_registering_a_changed_trigger_again_moves_the_next_run():
    start_with(CronTrigger(hour=3, timezone="UTC"))
    Job.objects.update(next_run_time=SOON)

    start_with(CronTrigger(hour=4, timezone="UTC"))

    row = Job.objects.get()
    assert row.next_run_time.hour == 4
    assert row.next_run_time < SOON
    assert row.planned_trigger == row.trigger


def test_a_run_time_that_somebody_gives_wins():
    start_with(IntervalTrigger(hours=1, timezone="UTC"))

    start_with(IntervalTrigger(hours=1, timezone="UTC"), next_run_time=SOON)

    assert Job.objects.get().next_run_time == SOON


def test_any_thread_may_call_on_its_own_connection(store):
    store.add_job(job("a"))
    found = []

    def look():
        found.append(store.lookup_job("a").id)
        store.shutdown()

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    assert found == ["a"]


def test_a_dead_connection_is_replaced(store):
    if connection.vendor == "sqlite":
        pytest.skip("a file does not hang up")
    store.add_job(job("a"))
    kill = {
        "postgresql": "SELECT pg_terminate_backend(pg_backend_pid())",
        "mysql": "KILL CONNECTION_ID()",
    }
    with pytest.raises(OperationalError), connection.cursor() as cursor:
        cursor.execute(kill[connection.vendor])

    assert store.lookup_job("a").id == "a"


def start_with(trigger, **options):
    """What a process does at its start: a stock scheduler adds its job, and is gone again."""
    scheduler = BackgroundScheduler(timezone="UTC", jobstores={"default": DjangoJobStore()})
    scheduler.add_job(noop, trigger, id="a", replace_existing=True, **options)
    scheduler.start(paused=True)
    scheduler.shutdown()
    return Job.objects.get()
