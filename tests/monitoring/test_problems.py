"""A problem that stands is told once when it lasts, and once when it is over."""

from __future__ import annotations

from datetime import timedelta

import pytest
from scheduler.models import Job, Lease, Node, Notice
from scheduler.monitoring import problems
from scheduler.monitoring.problems import TOLD_AFTER

from tests.monitoring import rows

pytestmark = pytest.mark.django_db
NOON = rows.NOON


def told_at(after: timedelta = timedelta()) -> list[tuple[str, str]]:
    """Kind and job of what is told at that time after noon."""
    with rows.database_clock(NOON + after):
        Node.objects.update(beat_at=NOON + after)
        return [(alert.kind, alert.job_id) for alert in problems.check()]


@pytest.fixture(autouse=True)
def leader():
    rows.leader()
    Lease.objects.update(expires_at=NOON + timedelta(days=1))


def test_a_quarantine_is_told_once_it_lasts_and_never_again():
    rows.job(state="quarantined", last_error="no such function")
    assert told_at() == []
    assert told_at(TOLD_AFTER - timedelta(seconds=1)) == []
    assert told_at(TOLD_AFTER) == [("quarantined", "home.sync")]
    assert told_at(TOLD_AFTER * 2) == []


@pytest.mark.parametrize("end", [{"state": "active"}, {"state": "retired"}, None])
def test_the_end_of_a_standing_problem_is_mailed_once(end):
    job = rows.job(state="quarantined", last_error="no such function")
    told_at()
    told_at(TOLD_AFTER)
    Job.objects.filter(pk=job.pk).update(**end) if end else job.delete()
    assert told_at(TOLD_AFTER * 2) == [("no longer quarantined", "home.sync")]
    assert told_at(TOLD_AFTER * 3) == []
    assert not Notice.objects.exists()


def test_one_that_ends_by_itself_in_time_is_not_told():
    rows.job(state="quarantined")
    told_at()
    Job.objects.update(state="active")
    assert told_at(TOLD_AFTER) == []
    Job.objects.update(state="quarantined")
    assert told_at(TOLD_AFTER) == []  # a new one, which has just begun


def test_an_error_that_the_leader_reports_is_told_and_its_end():
    Node.objects.update(error="orders: SyntaxError: invalid syntax (jobs.py, line 3)")
    told_at()
    with rows.database_clock(NOON + TOLD_AFTER):
        (alert,) = problems.check()
    assert (alert.kind, "orders: SyntaxError" in alert.text) == ("leader error", True)
    Node.objects.update(error="")
    assert told_at(TOLD_AFTER) == [("leader error over", "")]


def test_an_error_whose_numbers_differ_in_each_process_is_the_same_problem():
    for number in (4711, 4712):
        Node.objects.update(error=f"home: ValueError: <object at 0x7f{number}a> of {number}")
        told_at()
        assert told_at(TOLD_AFTER) == ([("leader error", "")] if number == 4711 else [])


def test_publishing_that_fails_for_another_reason_still_fails():
    Node.objects.update(publish_error="OperationalError: refused")
    told_at()
    assert told_at(TOLD_AFTER) == [("publishing fails", "")]
    Node.objects.update(publish_error="TimeoutError: timed out")
    assert told_at(TOLD_AFTER * 2) == []
    Node.objects.update(publish_error="")
    assert told_at(TOLD_AFTER * 3) == [("publishing again", "")]


def test_a_job_beyond_those_that_are_read_is_still_in_quarantine(monkeypatch):
    monkeypatch.setattr(problems, "MAX_JOBS", 1)
    rows.job("b", state="quarantined")
    told_at()
    assert told_at(TOLD_AFTER) == [("quarantined", "b")]
    rows.job("a", state="quarantined")
    assert told_at(TOLD_AFTER) == []
    assert told_at(TOLD_AFTER * 2) == [("quarantined", "a")]
    Job.objects.filter(pk="b").update(state="active")
    assert told_at(TOLD_AFTER * 2) == [("no longer quarantined", "b")]


def test_another_error_is_another_problem():
    Node.objects.update(error="orders: SyntaxError")
    told_at()
    told_at(TOLD_AFTER)
    Node.objects.update(error="home: SyntaxError")
    assert told_at(TOLD_AFTER) == [("leader error over", "")]
    assert told_at(TOLD_AFTER * 2) == [("leader error", "")]


def test_a_new_leader_does_not_tell_it_again_and_of_two_leaders_one_tells():
    """The old leader has not noticed that it lost the lease: both check at the same moment."""
    rows.job(state="quarantined")
    told_at()
    with rows.database_clock(NOON + TOLD_AFTER):
        notices = list(Notice.objects.all())
        assert len(problems.check()) == 1  # the new leader, between the old one's two statements
        assert all(not notice.told for notice in notices)
        assert problems.check() == []


def test_what_is_sensitive_is_not_told():
    secret = {"kwargs": '{"key":"sk_live_5"}', "sensitive": '["key"]'}
    rows.job(state="quarantined", last_error="cannot read sk_live_5", **secret)
    told_at()
    with rows.database_clock(NOON + TOLD_AFTER):
        (alert,) = problems.check()
    assert alert.text == "cannot read ••••••"


def test_a_clock_that_was_set_back_only_begins_the_wait_anew():
    rows.job(state="quarantined")
    told_at(timedelta(hours=1))
    assert told_at() == []
    assert told_at(TOLD_AFTER) == [("quarantined", "home.sync")]
