"""What ``manage.py scheduler`` says to people: sentences, durations, times, and its options."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from scheduler import commands, scheduler
from scheduler.models import Execution, Lease
from scheduler.models.execution import Status

from tests import bodies
from tests.client.test_command import answer, call

pytestmark = pytest.mark.django_db(transaction=True)
NOON = datetime(2031, 5, 1, 12, tzinfo=UTC)


@pytest.fixture
def ended():
    """Call with the seconds that a run took."""
    scheduler.add_job(bodies.noop, "interval", hours=1, id="a")

    def ended(seconds: float) -> Execution:
        run = scheduler.run_now("a")
        run.status, run.started_at = Status.SUCCEEDED, NOON
        run.finished_at = NOON + timedelta(seconds=seconds)
        run.save()
        return run

    return ended


def test_status_before_anybody_ever_led_is_made_of_sentences():
    code, said = call("status")
    assert (code, said.splitlines()) == (
        4,
        [
            "Not well. No scheduler has ever run: start manage.py runapscheduler.",
            "Term 0; 0 due.",
            "No scheduler process.",
        ],
    )


def test_status_says_how_late_in_words():
    scheduler.add_job(bodies.noop, "date", run_date=datetime.now(UTC) - timedelta(seconds=3723))
    assert "1 due, the oldest 1 h 2 min late." in call("status")[1]
    assert 3723 <= answer("status", code=4)["oldest_due"] < 3780


def test_list_without_jobs_says_where_they_come_from_until_somebody_led():
    assert call("list")[1] == (
        "No jobs yet: a scheduler brings in the declared ones when it starts. "
        "Start one with: manage.py runapscheduler\n"
    )
    Lease.objects.create(pk=1, term=1)
    assert call("list")[1] == "No jobs.\n"
    scheduler.add_job(bodies.noop, "interval", hours=1)
    assert call("list", "--state", "paused")[1] == "No job is paused.\n"
    assert answer("list", "--state", "paused") == []


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.001086, "1 ms"), (4.9, "4.9 s"), (123, "2 min 3 s")],
)
def test_durations_are_in_words_and_numbers_in_json(ended, seconds, words):
    ended(seconds)
    for command in (("history",), ("show", "a")):
        assert f"  {words}  " in call(*command)[1]
    assert answer("history")[0]["duration"] == seconds
    assert answer("show", "a")["last_runs"][0]["duration"] == seconds


def test_show_writes_all_times_in_one_form(settings):
    settings.TIME_ZONE = "UTC"
    scheduler.add_job(bodies.noop, "date", run_date=NOON, id="a", timezone="UTC")
    said, data = call("show", "a")[1], answer("show", "a")
    assert said.count("2031-05-01 12:00:00 UTC") == 2
    for name in ("next_run_time", "created_at", "updated_at"):
        at = datetime.fromisoformat(data[name])
        assert f"{name:20}{at:%Y-%m-%d %H:%M:%S} UTC\n" in said


def test_only_what_is_signed_takes_a_name(capsys):
    signed = {"add", "pause", "resume", "run", "cancel", "remove"}
    for name in commands.found():
        assert call(name, "--help")[0] == 0
        assert ("--by" in capsys.readouterr().out) == (name in signed), name
