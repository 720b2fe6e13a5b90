"""A change of ``TIME_ZONE``: calendars move, intervals keep their cadence."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from scheduler import job, scheduler, triggers
from scheduler.engine.maintenance.sync import sync
from scheduler.models import Change, Job

from tests import bodies

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("declared")]

BEGIN = datetime(2031, 1, 1, tzinfo=UTC)
EVERY = {
    "interval": ("interval", {"hours": 24}),
    "grid": ("interval", {"hours": 24, "start_date": BEGIN, "end_date": BEGIN.replace(year=2040)}),
    "jitter": ("interval", {"hours": 24, "start_date": BEGIN, "jitter": 60}),
    "cron": ("cron", {"hour": 3}),
    "calendar": ("calendarinterval", {"days": 1, "hour": 3}),
}


def declare() -> None:
    for name, (kind, options) in EVERY.items():
        job(kind, id=name, **options)(bodies.noop)


def times() -> dict[str, datetime]:
    return dict(Job.objects.values_list("id", "next_run_time"))


def test_declared_intervals_keep_their_next_run_and_calendars_move(settings, declared):
    settings.TIME_ZONE = "Europe/Berlin"
    declare()
    sync("default")
    Job.objects.filter(id="interval").update(next_run_time=datetime(2031, 1, 1, 17, 4, tzinfo=UTC))
    before = times()
    declared()
    settings.TIME_ZONE = "Asia/Tokyo"
    declare()
    sync("default")
    after = times()
    assert {name for name in EVERY if before[name] == after[name]} == {"interval", "grid", "jitter"}
    assert after["cron"].astimezone(triggers.default_zone()).hour == 3
    assert '"timezone":"Asia/Tokyo"' in Job.objects.get(pk="interval").trigger
    assert Change.objects.filter(job_id="interval").count() == 2


def test_an_interval_that_is_added_again_in_another_zone_keeps_its_next_run(settings):
    for zone in ("Europe/Berlin", "Asia/Tokyo"):
        settings.TIME_ZONE = zone
        scheduler.add_job(bodies.noop, "interval", hours=24, id="n", replace_existing=True)
        if zone == "Europe/Berlin":
            at = Job.objects.get().next_run_time - timedelta(hours=7)
            Job.objects.update(next_run_time=at)
    assert Job.objects.get().next_run_time == at


def test_another_length_in_another_zone_is_another_trigger(settings, declared):
    settings.TIME_ZONE = "Europe/Berlin"
    declare()
    sync("default")
    before = times()
    declared()
    settings.TIME_ZONE = "Asia/Tokyo"
    job("interval", hours=25, id="interval")(bodies.noop)
    sync("default")
    assert times()["interval"] != before["interval"]
