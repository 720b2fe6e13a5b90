"""An update of the time zone data: planned runs move to where their triggers now say, once.

The second set of rules is a folder before the system's, in which Mexico City has the data of a city
that lies an hour to the east or to the west.
"""

from __future__ import annotations

import zoneinfo
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path

import pytest
from django.db import transaction
from scheduler import scheduler, triggers
from scheduler.engine.maintenance import zonerules
from scheduler.models import Change, Job, Lease
from scheduler.monitoring.audit import audit
from scheduler.triggers import timezones

from . import bodies
from .jobs import runs

ZONE = "America/Mexico_City"
EAST, WEST = "America/Bogota", "America/Hermosillo"
"""An hour before and an hour behind Mexico City in winter, and without summer time."""


def at(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2031, 1, day, hour, minute, tzinfo=UTC)


@pytest.fixture
def rules(tmp_path: Path) -> Iterator[Callable[[str], None]]:
    """Give Mexico City the rules of another city, as an update of tzdata and a restart do."""
    before = zoneinfo.TZPATH

    def install(city: str) -> None:
        file = tmp_path.joinpath(*ZONE.split("/"))
        file.parent.mkdir(exist_ok=True)
        data = resources.files("tzdata").joinpath("zoneinfo", *city.split("/"))
        file.write_bytes(data.read_bytes())
        zoneinfo.reset_tzpath([str(tmp_path), *before])
        forget()

    yield install
    zoneinfo.reset_tzpath(before)
    forget()


def forget() -> None:
    """What only the end of a process forgets."""
    zoneinfo.ZoneInfo.clear_cache(only_keys=[ZONE])
    for cached in (timezones.zone_if_known, triggers.loads, triggers.fingerprint):
        cached.cache_clear()


@pytest.fixture
def nightly(a, database_clock) -> Job:
    """At 3 in Mexico City, which is 9 UTC; it ran on the 10th."""
    database_clock.set(at(9, 20))
    scheduler.add_job(bodies.note, "cron", hour=3, timezone=ZONE, id="nightly")
    Job.objects.update(created_at=at(9, 20))
    a.turn()
    database_clock.set(at(10, 9))
    a.turn_until(lambda: runs(status="succeeded"))
    a.end()
    job = Job.objects.get()
    assert job.next_run_time == at(11, 9)
    return job


@pytest.mark.parametrize(("city", "hour"), [(EAST, 8), (WEST, 10)])
def test_a_run_that_was_planned_by_the_former_rules_runs_once_at_the_time_of_the_new_ones(
    nightly, rules, peer, database_clock, city, hour
):
    rules(city)
    database_clock.set(at(10, 23))
    b = peer("b")
    b.turn()
    assert Job.objects.get().next_run_time == at(11, hour)
    for step in range(7, 12):
        database_clock.set(at(11, step))
        b.turn()
    b.turn_until(lambda: len(runs(status="succeeded")) == 2)
    assert [run.scheduled_run_time for run in runs()] == [at(10, 9), at(11, hour)]
    assert Job.objects.get().next_run_time == at(12, hour)


def test_a_run_whose_new_time_has_just_passed_is_late_and_not_left_out(
    nightly, rules, peer, database_clock
):
    rules(EAST)
    database_clock.set(at(11, 8, 30))
    b = peer("b")
    b.turn_until(lambda: len(runs(status="succeeded")) == 2)
    assert [run.scheduled_run_time for run in runs()] == [at(10, 9), at(11, 8)]


def test_the_history_says_what_moved_the_run_and_the_audit_compares_from_then_on(
    nightly, rules, peer, database_clock
):
    rules(EAST)
    database_clock.set(at(10, 23))
    b = peer("b")
    b.turn()
    change = Change.objects.first()
    assert (change.action, change.by) == ("moved", "time zone rules")
    assert ("2031-01-11T09" in change.before, "2031-01-11T08" in change.after) == (True, True)
    database_clock.set(at(11, 8))
    b.turn_until(lambda: len(runs(status="succeeded")) == 2)
    database_clock.set(at(11, 20))
    report = audit("default", at(9, 0))
    assert (report.findings, report.owed, report.outcomes) == ([], 1, {"succeeded": 1})
    assert report.notes == [
        f"nightly: the rules of its time zone changed; compared since {change.at}"
    ]


def test_what_depends_on_no_changed_zone_stays(a, rules, peer, database_clock):
    database_clock.set(at(9, 20, 5))
    kinds = {
        "interval": {"trigger": "interval", "hours": 5, "timezone": ZONE},
        "date": {"trigger": "date", "run_date": at(12, 0), "timezone": ZONE},
        "cron": {"trigger": "cron", "hour": 3, "timezone": "Europe/Berlin"},
        "minutes": {"trigger": "cron", "minute": "*/10", "timezone": ZONE},
        "jitter": {"trigger": "cron", "hour": 3, "timezone": "UTC", "jitter": 600},
        "days": {"trigger": "calendarinterval", "days": 3, "hour": 4, "timezone": "Asia/Tokyo"},
    }
    for name, options in kinds.items():
        scheduler.add_job(bodies.note, id=name, **options)
    before = dict(Job.objects.values_list("id", "next_run_time"))
    a.turn()
    a.end()
    rules(EAST)
    peer("b").turn()
    assert dict(Job.objects.values_list("id", "next_run_time")) == before
    assert not Change.objects.filter(action="moved").exists()


@pytest.mark.parametrize(
    ("options", "planned", "moved"),
    [
        ({"trigger": "cron", "day": 20, "hour": 3}, at(20, 9), at(20, 8)),
        ({"trigger": "calendarinterval", "weeks": 2, "hour": 3, "start_date": "2031-01-02"},
         at(16, 9), at(16, 8)),
        ({"trigger": "calendarinterval", "weeks": 2, "hour": 23}, at(10, 5), at(10, 4)),
        ({"trigger": "or", "triggers": [{"type": "cron", "hour": 3, "timezone": ZONE},
                                        {"type": "cron", "hour": 16, "timezone": ZONE}]},
         at(9, 22), at(9, 21)),
    ],
    ids=["monthly", "fortnightly", "no start", "or"],
)  # fmt: skip
def test_each_kind_that_counts_days_keeps_its_day(
    a, rules, peer, database_clock, options, planned, moved
):
    database_clock.set(at(9, 20))
    members = options.pop("triggers", None)
    trigger = options.pop("trigger")
    if members:
        made = triggers.build(trigger, triggers=members)
    else:
        made = triggers.build(trigger, timezone=ZONE, **options)
    scheduler.add_job(bodies.note, made, id="job")
    Job.objects.update(created_at=at(9, 1), next_run_time=planned)
    a.turn()
    a.end()
    rules(EAST)
    peer("b").turn()
    assert Job.objects.get().next_run_time == moved


def test_with_the_same_rules_the_next_leader_looks_at_no_job(nightly, peer, monkeypatch):
    assert Lease.objects.get().zone_rules == triggers.fingerprint(2031)
    monkeypatch.setattr(zonerules.ZoneRules, "_page", lambda self: pytest.fail("looked"))
    peer("b").turn()


def test_all_pages_are_looked_at_and_a_job_that_somebody_holds_moves_later(
    nightly, rules, peer, user, monkeypatch, database_clock, vendor
):
    database_clock.set(at(10, 20))
    for number in range(5):
        scheduler.add_job(bodies.note, "cron", hour=3, timezone=ZONE, id=f"more{number}")
    rules(EAST)
    monkeypatch.setattr(zonerules, "PAGE", 2)
    database_clock.set(at(10, 23))
    holds = user.do(lambda: hold("more1")) if vendor != "sqlite" else None
    b = peer("b")
    left = Job.objects.filter(next_run_time=at(11, 9)).values_list("id", flat=True)
    b.turn_until(lambda: set(left.all()) == ({"more1"} if holds else set()))
    if holds:
        b.turn()
        assert Lease.objects.get().zone_rules != triggers.fingerprint(2031)
        user.do(holds)
    b.turn_until(lambda: Lease.objects.get().zone_rules == triggers.fingerprint(2031))
    assert not Job.objects.exclude(next_run_time=at(11, 8)).exists()


def hold(job_id: str) -> Callable[[], None]:
    block = transaction.atomic()
    block.__enter__()
    Job.objects.select_for_update().get(pk=job_id)
    return lambda: block.__exit__(None, None, None)
