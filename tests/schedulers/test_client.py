"""``from scheduler import scheduler``: APScheduler's calls, from any process, on the rows."""

from __future__ import annotations

import json
import threading
from datetime import UTC, datetime
from io import StringIO
from zoneinfo import ZoneInfo

import pytest
from apscheduler.events import EVENT_JOB_ADDED, EVENT_JOB_MODIFIED, EVENT_JOB_REMOVED
from apscheduler.jobstores.base import ConflictingIdError
from apscheduler.schedulers import SchedulerAlreadyRunningError
from django.db import transaction
from scheduler import scheduler
from scheduler.definitions.changes import changed_by
from scheduler.errors import DefinitionError, NotHereError
from scheduler.models import Change, Execution, Job
from scheduler.models.execution import Status
from scheduler.models.job import JobState
from scheduler.schedulers.client import SchedulerClient

from tests import bodies

pytestmark = pytest.mark.django_db(transaction=True)
LATER = datetime(2100, 1, 1, tzinfo=UTC)


def one() -> Job:
    return Job.objects.get()


def add(id="a", **options):
    return scheduler.add_job(bodies.add, **{"trigger": "date", "run_date": LATER, "args": [1],
                                            "id": id} | options)  # fmt: skip


@transaction.atomic
def add_and_fail(id):
    add(id)
    raise ZeroDivisionError


def test_importing_needs_no_app_and_starts_nothing():
    assert isinstance(scheduler, SchedulerClient)
    before = threading.active_count()
    add()
    assert threading.active_count() == before


@pytest.mark.parametrize(
    "call",
    [
        lambda: scheduler.start(),
        lambda: scheduler.shutdown(),
        lambda: scheduler.add_executor("threadpool"),
        lambda: scheduler.remove_executor("default"),
        lambda: scheduler.add_jobstore("memory", "other"),
        lambda: scheduler.remove_jobstore("default"),
    ],
)
def test_what_belongs_to_a_loop_is_refused_with_the_remedy(call):
    with pytest.raises(NotHereError, match="client"):
        call()
    scheduler.wakeup()


def test_a_client_cannot_be_configured_anew():
    with pytest.raises(SchedulerAlreadyRunningError):
        scheduler.configure(timezone="Europe/Berlin")


def test_a_job_exists_if_and_only_if_its_transaction_commits():
    with transaction.atomic():
        add("kept")
        with pytest.raises(ZeroDivisionError):
            add_and_fail("undone")
        with pytest.raises(ConflictingIdError):
            add("kept")
        add("after the conflict")

    assert {job.id for job in scheduler.get_jobs()} == {"kept", "after the conflict"}
    assert Change.objects.filter(job_id="undone").count() == 0


def test_what_is_added_is_stored_readable():
    job = add(name="Remind", kwargs={"b": 2}, timeout=60, max_retries=2, retry_delay=1.5,
              on_lost="retry", warn_after=30, executor="processes", sensitive=["b"])  # fmt: skip

    row = one()
    assert job.id == row.id == "a"
    assert (row.func, row.args, row.name) == ("tests.bodies:add", "[1]", "Remind")
    assert (row.timeout, row.max_retries, row.retry_delay, row.on_lost) == (60, 2, 1.5, "retry")
    assert (row.warn_after, row.executor, row.sensitive) == (30, "processes", '["b"]')
    assert (row.coalesce, row.max_instances, row.misfire_grace_time) == (True, 1, None)
    assert (row.state, row.next_run_time) == (JobState.ACTIVE, LATER)
    assert row.planned_trigger == row.trigger


def test_without_an_id_each_job_gets_its_own():
    assert add(id=None).id != add(id=None).id


def test_job_defaults_of_the_settings_fill_what_is_not_said(settings):
    settings.APSCHEDULER_JOB_DEFAULTS = {"max_instances": 3, "coalesce": False, "max_retries": 4}
    add("told", max_instances=2)

    row = one()
    assert (row.max_instances, row.coalesce, row.max_retries) == (2, False, 4)


def test_a_crontab_line_is_a_trigger():
    scheduler.add_job(bodies.noop, "0 3 * * *", timezone="Europe/Berlin")
    assert one().next_run_time.astimezone(ZoneInfo("Europe/Berlin")).hour == 3


def test_modify_writes_the_columns_that_changed_and_no_other():
    add()
    scheduler.modify_job("a", name="renamed", kwargs={"b": 5}, warn_after=9, misfire_grace_time=60)

    row = one()
    assert (row.name, row.kwargs, row.warn_after, row.misfire_grace_time) == (
        "renamed", '{"b":5}', 9, 60,
    )  # fmt: skip
    change = Change.objects.filter(action="changed").get()
    assert set(change_of(change)) == {"name", "kwargs", "warn_after", "misfire_grace_time"}


def test_jobs_can_be_asked_to_act_on_themselves():
    job = scheduler.get_job(add().id)
    job.modify(name="n")
    job.pause()
    assert one().state == JobState.PAUSED
    job.resume()
    job.reschedule("interval", hours=2)
    assert one().name == "n"
    job.remove()
    assert not Job.objects.exists()


def test_get_and_print_and_remove_all():
    assert scheduler.get_job("nobody") is None
    add("b")
    add("a")
    out = StringIO()
    scheduler.print_jobs(out=out)
    assert [job.id for job in scheduler.get_jobs()] == ["a", "b"]
    assert out.getvalue().count("next run at: 2100-01-01 00:00:00 UTC") == 2

    scheduler.remove_all_jobs()
    assert scheduler.get_jobs() == []
    assert Change.objects.filter(action="removed").count() == 2


def test_jobs_can_be_exported_and_imported():
    add()
    file = StringIO()
    scheduler.export_jobs(file)
    scheduler.remove_all_jobs()
    file.seek(0)
    scheduler.import_jobs(file)
    assert scheduler.get_job("a").args == (1,)


def test_replacing_resets_what_is_not_said_and_keeps_the_next_run_of_the_same_trigger():
    scheduler.add_job(bodies.noop, "interval", hours=1, id="a", warn_after=5)
    Job.objects.update(next_run_time=LATER)

    scheduler.add_job(bodies.noop, "interval", hours=1, id="a", replace_existing=True)
    assert (one().warn_after, one().next_run_time) == (None, LATER)
    scheduler.add_job(bodies.noop, "interval", hours=2, id="a", replace_existing=True)
    assert one().next_run_time < LATER


def test_changes_are_signed():
    with changed_by("alice"):
        add()
    scheduler.remove_job("a")

    assert list(Change.objects.order_by("id").values_list("action", "by")) == [
        ("added", "alice"), ("removed", ""),
    ]  # fmt: skip


def test_removing_a_job_takes_its_queue_along_and_leaves_its_history():
    add()
    queued, done = scheduler.run_now("a"), scheduler.run_now("a")
    Execution.objects.filter(pk=done.pk).update(status=Status.SUCCEEDED)

    scheduler.remove_job("a")

    queued.refresh_from_db()
    assert (queued.status, queued.reason) == (Status.CANCELLED, "its job was removed")
    assert Execution.objects.get(pk=done.pk).status == Status.SUCCEEDED


def test_a_job_that_cannot_be_loaded_can_be_paused_removed_and_mended():
    add()
    Job.objects.update(func="tests.bodies:gone")

    with pytest.raises(DefinitionError, match="gone"):
        scheduler.modify_job("a", name="n")
    assert scheduler.pause_job("a") is None
    assert scheduler.modify_job("a", func=bodies.noop, args=[]).id == "a"
    assert one().func == "tests.bodies:noop"
    scheduler.remove_job("a")


def test_listeners_hear_of_what_this_process_does():
    heard = []
    scheduler.add_listener(heard.append, EVENT_JOB_ADDED | EVENT_JOB_MODIFIED | EVENT_JOB_REMOVED)
    add()
    scheduler.pause_job("a")
    scheduler.remove_job("a")
    scheduler.remove_listener(heard.append)

    assert [event.code for event in heard] == [
        EVENT_JOB_ADDED, EVENT_JOB_MODIFIED, EVENT_JOB_REMOVED,
    ]  # fmt: skip
    assert {event.job_id for event in heard} == {"a"}


def test_threads_do_not_wait_for_each_other_in_the_process():
    """A lock in the process, held while the database waits, could deadlock with its locks."""
    add("a")
    scheduler.get_job("a")
    answered = threading.Event()

    def look():
        scheduler.get_jobs()
        answered.set()

    with scheduler._jobstores_lock:
        thread = threading.Thread(target=look)
        thread.start()
        assert answered.wait(10)
    thread.join()


def change_of(change: Change) -> dict:
    return json.loads(change.after)
