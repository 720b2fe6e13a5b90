"""django-apscheduler's names do here what they did there."""

from __future__ import annotations

import warnings
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from apscheduler.schedulers.background import BackgroundScheduler
from django.db import InterfaceError, OperationalError, connection
from django.test import override_settings
from scheduler import jobstores, models, scheduler, util
from scheduler.definitions import declarations
from scheduler.models import DjangoJob, DjangoJobExecution, Execution, Job

from tests import bodies

AT = datetime(2030, 1, 1, 13, 0, 5, tzinfo=UTC)


def test_the_models_have_their_old_names_too():
    assert DjangoJob is Job
    assert DjangoJobExecution is Execution
    assert {"SENT", "SUCCESS", "ERROR", "MISSED", "MAX_INSTANCES"} <= vars(models.Execution).keys()
    assert DjangoJobExecution.SUCCESS == "succeeded"


def test_job_stores_take_the_old_arguments():
    store = jobstores.DjangoJobStore(5)
    assert store.using == "default"
    assert repr(store) == "<DjangoJobStore>"
    assert jobstores.DjangoJobStore(pickle_protocol=4, using="other").using == "other"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("failure", [None, ValueError])
def test_close_old_connections_closes_before_and_after(settings, failure):
    seen = []

    @util.close_old_connections
    def body(value):
        seen.append(connection.connection)
        connection.ensure_connection()
        connection.close_at = 0
        if failure:
            raise failure
        return value

    connection.ensure_connection()
    connection.close_at = 0
    if failure:
        with pytest.raises(failure):
            body(1)
    else:
        assert body(1) == 1
    assert body.__name__ == "body"
    assert seen == [None]
    assert connection.connection is None


@pytest.mark.django_db
def test_close_old_connections_leaves_the_test_its_transaction():
    connection.close_at = 0
    util.close_old_connections(bodies.noop)()
    assert connection.connection is not None


@pytest.mark.parametrize("error", [OperationalError, InterfaceError])
def test_a_lost_connection_is_tried_once_more(error):
    calls = []

    @util.retry_on_db_operational_error
    def statement():
        calls.append(1)
        if len(calls) == 1:
            raise error
        return "done"

    assert statement() == "done"
    calls.extend([1] * 5)
    with pytest.raises(ZeroDivisionError):
        util.retry_on_db_operational_error(lambda: 1 / 0)()


def test_times_are_shown_in_the_configured_format_with_their_seconds():
    with override_settings(TIME_ZONE="Europe/Berlin"):
        assert util.get_local_dt_format(AT) == "2030-01-01 14:00:05"
    with override_settings(APSCHEDULER_DATETIME_FORMAT="H.i"):
        assert util.get_dt_format() == "H.i"
        assert util.get_local_dt_format(AT) == "13.00"
    assert util.get_local_dt_format(None) == ""


def test_times_become_aware():
    naive = AT.replace(tzinfo=None)
    assert util.get_django_internal_datetime(naive) == AT
    assert util.get_django_internal_datetime(None) is None
    stock = BackgroundScheduler(timezone="Europe/Berlin")
    berlin = util.get_apscheduler_datetime(naive, stock)
    assert berlin == datetime(2030, 1, 1, 13, 0, 5, tzinfo=ZoneInfo("Europe/Berlin"))
    assert util.get_apscheduler_datetime(AT, stock) is AT


def test_register_job_adds_to_a_stock_scheduler():
    stock = BackgroundScheduler(timezone="UTC")
    with pytest.warns(DeprecationWarning, match="@scheduler.job"):
        assert jobstores.register_job(stock, "interval", hours=1)(bodies.tick) is bodies.tick
    assert [job.id for job in stock.get_jobs()] == ["tests.bodies.tick"]


@pytest.mark.django_db
def test_register_job_declares_with_the_client_and_writes_nothing(monkeypatch):
    monkeypatch.setattr(declarations, "_declared", [])
    with pytest.warns(DeprecationWarning, match="deprecated"):
        jobstores.register_job(scheduler, "interval", hours=1, id="mine")(bodies.tick)
    assert list(declarations.registered()) == ["mine"]
    assert not Job.objects.exists()


@pytest.mark.django_db
def test_register_job_takes_what_add_job_takes(monkeypatch):
    monkeypatch.setattr(declarations, "_declared", [])
    options = {"id": "mine", "replace_existing": True, "jobstore": "default", "args": None}
    with pytest.warns(DeprecationWarning, match="deprecated"):
        jobstores.register_job(scheduler, "interval", hours=1, **options)(bodies.tick)
    assert list(declarations.registered()) == ["mine"]


def test_register_events_is_accepted():
    with pytest.warns(DeprecationWarning, match="remove it"):
        assert jobstores.register_events(scheduler) is None


def test_nothing_warns_that_is_not_deprecated():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert jobstores.DjangoMemoryJobStore().using == "default"
