"""What a row can hold and every page can show: one bound on all databases, said at the call."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from apscheduler.job import Job as APSchedulerJob
from apscheduler.triggers.interval import IntervalTrigger
from scheduler import scheduler
from scheduler.definitions import declarations
from scheduler.errors import JobExistsError, UnknownJobError
from scheduler.jobstore import DjangoJobStore
from scheduler.models import Job

from tests import bodies

pytestmark = pytest.mark.django_db

NUMBERS = {
    "grace of a century": ({"misfire_grace_time": 100 * 365 * 86400}, "between 1 and 1000000000"),
    "grace of 2**33": ({"misfire_grace_time": 2**33}, "misfire_grace_time must be between"),
    "instances": ({"max_instances": 2**31}, "max_instances must be between 1 and 1000000"),
    "true": ({"max_instances": True}, "max_instances must be a whole number, not True"),
    "true grace": ({"misfire_grace_time": True}, "misfire_grace_time must be a whole number"),
    "retries": ({"max_retries": 10**7}, "max_retries must be between 0 and 1000000"),
    "sensitive names": ({"sensitive": [str(n) for n in range(101)]}, "may hold 100 names"),
    "a long name": ({"sensitive": ["x" * 256]}, "names of 255 characters"),
    "half a letter": ({"sensitive": ["\ud800"]}, "The sensitive of a job may not contain"),
    "text for a truth": ({"coalesce": "no"}, "coalesce must be True or False, not 'no'"),
    "warn after": ({"warn_after": 1e300}, "warn_after must be between"),
}


@pytest.mark.parametrize("case", NUMBERS)
def test_a_number_beyond_its_bound_is_named_at_the_call(case):
    options, message = NUMBERS[case]
    with pytest.raises((TypeError, ValueError), match=message):
        scheduler.add_job(bodies.noop, "interval", hours=1, id="n", **options)
    with pytest.raises((TypeError, ValueError), match=message):
        declarations.job("interval", hours=1, **options)
    scheduler.add_job(bodies.noop, "interval", hours=1, id="kept")
    with pytest.raises((TypeError, ValueError), match=message):
        scheduler.modify_job("kept", **options)
    assert list(Job.objects.values_list("pk", "max_instances")) == [("kept", 1)]


@pytest.mark.parametrize("options", [{"misfire_grace_time": 10**9}, {"max_instances": 1_000_000}])
def test_a_value_at_its_limit_is_stored(options):
    scheduler.add_job(bodies.noop, "interval", hours=1, id="n", **options)
    [(name, value)] = options.items()
    assert getattr(Job.objects.get(pk="n"), name) == value


def test_a_stock_job_is_held_to_the_same_bounds():
    store = DjangoJobStore()
    trigger = IntervalTrigger(hours=1, timezone=UTC)
    job = APSchedulerJob(scheduler, id="n", func=bodies.noop, trigger=trigger, args=(), kwargs={},
                         name="n", executor="default", coalesce=True, max_instances=2**31,
                         misfire_grace_time=None, next_run_time=None)  # fmt: skip
    with pytest.raises(ValueError, match="max_instances must be between"):
        store.add_job(job)


@pytest.mark.parametrize("date", [(1, 1, 1), (1, 1, 2), (9999, 12, 30), (9999, 12, 31, 23, 59)])
def test_a_time_that_not_every_zone_can_show_is_refused(date):
    at = datetime(*date, tzinfo=UTC)
    with pytest.raises(ValueError, match=r"run_date: .* is out of range; .* from 0001-01-03"):
        scheduler.add_job(bodies.noop, "date", run_date=at, id="n")
    with pytest.raises(ValueError, match=r"next_run_time: .* is out of range"):
        scheduler.add_job(bodies.noop, "interval", hours=1, id="n", next_run_time=at)
    assert not Job.objects.exists()


IDS = ["a\nb", "a\rb", "a\0b", "\x1b[31m", "a\u2028b", "\ud800", ".", "..", "", "x" * 256]


@pytest.mark.parametrize("job_id", IDS, ids=ascii)
def test_an_id_that_no_page_or_mail_can_name_is_refused(job_id):
    if job_id:
        with pytest.raises(ValueError, match="The id of a job may"):
            scheduler.add_job(bodies.noop, "interval", hours=1, id=job_id)
    with pytest.raises(ValueError, match="The id of a job may"):
        declarations.job("interval", hours=1, id=job_id)
    assert not Job.objects.exists()


def test_a_name_with_a_line_break_is_refused_and_says_what_to_use():
    with pytest.raises(ValueError, match=r"The name of a job may not contain '\\n'.*Use letters"):
        scheduler.add_job(bodies.noop, "interval", hours=1, id="n", name="two\nlines")


@pytest.mark.parametrize("job_id", ["käse/ 2 <b>&", "x" * 255, "...", "a.b"])
def test_any_other_job_id_is_kept_as_it_is(job_id):
    scheduler.add_job(bodies.noop, "interval", hours=1, id=job_id)
    assert scheduler.get_job(job_id).id == job_id


def test_a_job_whose_id_or_grace_would_be_refused_today_can_still_be_changed_and_removed():
    scheduler.add_job(bodies.noop, "interval", hours=1, id="old")
    Job.objects.filter(pk="old").update(id="o\nld", name="a\nb", misfire_grace_time=2 * 10**9)
    scheduler.modify_job("o\nld", max_instances=2)
    scheduler.pause_job("o\nld")
    assert Job.objects.values_list("max_instances", "state").get() == (2, "paused")
    scheduler.remove_job("o\nld")
    assert not Job.objects.exists()


def test_an_unknown_id_names_the_one_that_was_meant():
    scheduler.add_job(bodies.noop, "interval", hours=1, id="heartbeat")
    for call in (scheduler.run_now, scheduler.pause_job, scheduler.resume_job, scheduler.remove_job,
                 scheduler.modify_job, scheduler.retire_job):  # fmt: skip
        with pytest.raises(UnknownJobError, match="no job 'heartbeet'; did you mean heartbeat"):
            call("heartbeet")
    assert scheduler.get_job("heartbeet") is None


def test_an_id_that_is_taken_names_the_option_that_replaces():
    scheduler.add_job(bodies.noop, "interval", hours=1, id="n")
    with pytest.raises(JobExistsError, match="replace_existing=True"):
        scheduler.add_job(bodies.noop, "interval", hours=1, id="n")
