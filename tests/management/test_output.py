"""What ``manage.py scheduler`` says to people: sentences, durations, times, and its options."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from scheduler import scheduler
from scheduler.management.subcommands import SUBCOMMANDS
from scheduler.models import Execution, Job, Lease
from scheduler.models.execution import Status

from tests import bodies
from tests.management.test_subcommands import answer, call

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
            "NOT OK: no scheduler has ever run: start manage.py runapscheduler",
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
        "No jobs yet: the scheduler adds the declared ones when it starts. "
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
    for name in (subcommand.name for subcommand in SUBCOMMANDS):
        assert call(name, "--help")[0] == 0
        assert ("--by" in capsys.readouterr().out) == (name in signed), name


HOSTILE = "\x1b[2Jred\x07 \x9b31m \u202egnp"
SHOWN = r"\x1b[2Jred\x07 \x9b31m \u202egnp"


@pytest.fixture
def hostile():
    """A row that no API of ours would write: it refuses such ids."""
    scheduler.add_job(bodies.noop, "interval", hours=1, id="a")
    Job.objects.update(id=HOSTILE, name=HOSTILE)
    run = scheduler.run_now(HOSTILE, requested_by="x")
    Execution.objects.filter(pk=run.pk).update(
        status=Status.FAILED, exception=HOSTILE, requested_by=HOSTILE
    )


@pytest.mark.parametrize(
    "words",
    [("list",), ("show", HOSTILE), ("history",), ("history", f"{HOSTILE}?"), ("pause", HOSTILE),
     ("run", HOSTILE)],
    ids=lambda words: words[0],
)  # fmt: skip
def test_what_a_terminal_would_obey_is_shown_and_not_sent(hostile, words):
    for more in ((), ("--json",)):
        _, said = call(*words, *more)
        assert said.replace("\n", "").isprintable()
        assert r"\u202egnp" in said
    _, said = call(*words)
    assert SHOWN in said


def test_json_tells_control_characters_as_they_are(hostile):
    assert [row["id"] for row in answer("list")] == [HOSTILE]
    assert answer("history")[0]["exception"] == HOSTILE


def test_a_long_id_or_message_is_cut_in_tables_and_whole_elsewhere():
    job_id, message = "i" * 255, "e" * 5000
    scheduler.add_job(bodies.noop, "interval", hours=1, id=job_id)
    run = scheduler.run_now(job_id)
    Execution.objects.filter(pk=run.pk).update(status=Status.FAILED, exception=message)
    for command in (("list",), ("history",)):
        said = call(*command)[1]
        assert f"{'i' * 63}…  " in said
        assert max(map(len, said.splitlines())) < 400
    assert job_id in call("show", job_id)[1]
    assert answer("list")[0]["id"] == job_id
    (told,) = answer("history")
    assert (told["job_id"], told["exception"]) == (job_id, message)
