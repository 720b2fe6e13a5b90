"""``manage.py scheduler``: what it answers, in text and JSON, and its exit codes."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from scheduler import scheduler
from scheduler.definitions.changes import changed_by
from scheduler.models import Change, Execution, Job, Lease
from scheduler.models.execution import Status
from scheduler.models.job import JobState

from tests import bodies
from tests.processes import environment

pytestmark = pytest.mark.django_db(transaction=True)


def call(*words: str) -> tuple[int, str]:
    """Exit code and what was said."""
    out, err = StringIO(), StringIO()
    try:
        call_command("scheduler", *words, stdout=out, stderr=err)
    except CommandError as error:
        return error.returncode, str(error)
    except SystemExit as end:
        return int(end.code), out.getvalue() + err.getvalue()
    return 0, out.getvalue()


def answer(*words: str, code: int = 0):
    got, text = call(*words, "--json")
    assert got == code, text
    return json.loads(text)


@pytest.fixture
def job():
    scheduler.add_job(bodies.add, "interval", hours=1, args=[1], id="sum", name="Sum")
    return Job.objects.get()


def test_add_stores_what_is_said_and_signs_it():
    data = answer(
        "add", "tests.bodies:add", "cron", "hour=3", "minute=*/5", "timezone=Europe/Berlin",
        "--id", "sum", "--args", "[1]", "--kwargs", '{"b": 2}', "--timeout", "5",
        "--executor", "processes", "--max-retries", "2", "--by", "alice",
    )  # fmt: skip

    row = Job.objects.get()
    assert (row.id, row.args, row.kwargs, row.timeout, row.max_retries) == (
        "sum", "[1]", '{"b":2}', 5, 2,
    )  # fmt: skip
    assert data["arguments"] == {"a": "1", "b": "2"}
    assert Change.objects.get().by == "alice"


def test_add_takes_a_crontab_line_paused_and_replaces_on_request():
    call("add", "tests.bodies:noop", "0 3 * * 1", "--id", "a", "--paused")
    assert Job.objects.get().state == JobState.PAUSED
    code, said = call("add", "tests.bodies:noop", "@daily", "--id", "a")
    assert (code, "replace it with --replace" in said) == (1, True)
    assert call("add", "tests.bodies:noop", "@daily", "--id", "a", "--replace")[0] == 0


def test_add_takes_the_word_crontab_before_the_line():
    words = ("crontab", "0 3 * * 1", "jitter=5", "timezone=UTC")
    assert call("add", "tests.bodies:noop", *words)[0] == 0
    trigger = json.loads(Job.objects.get().trigger)
    assert (trigger["hour"], trigger["day_of_week"], trigger["jitter"]) == ("3", "mon", 5)
    assert "in quotes" in call("add", "tests.bodies:noop", "crontab", "0", "3", "*")[1]
    assert "crontab" in call("add", "tests.bodies:noop", "crontab")[1]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("add", "tests.bodies:gone", "@daily"), "gone"),
        (("add", "tests.bodies:noop", "cron", "hour=99"), "hour"),
        (("add", "tests.bodies:noop", "cron", "hour"), "hour"),
        (("add", "tests.bodies:add", "@daily"), "not been supplied"),
        (("add", "tests.bodies:noop", "@daily", "--executor", "x"), "executor"),
        (("add", "tests.bodies:noop", "@daily", "--args", "{"), "JSON"),
        (("add", "tests.bodies:noop", "@daily", "--args", "{}"), "JSON list"),
        (("history", "--limit", "0"), "--limit"),
    ],
    ids=str,
)
def test_what_makes_no_sense_is_refused(words, says):
    code, said = call(*words)
    assert (code, says in said) == (1, True), said
    assert not Job.objects.exists()


@pytest.mark.parametrize(
    "words",
    [("show", "x"), ("pause", "x"), ("resume", "x"), ("remove", "x"), ("run", "x"),
     ("cancel", "12345"), ("history", "x")],
    ids=str,
)  # fmt: skip
def test_what_is_not_there_has_an_exit_code_of_its_own(words):
    assert call(*words)[0] == 3
    assert "error" in answer(*words, code=3)


def test_list_puts_the_next_run_first_and_says_triggers_in_words(job):
    scheduler.add_job(bodies.noop, "interval", minutes=1, id="soon")
    scheduler.add_job(bodies.noop, "interval", seconds=1, id="rests", next_run_time=None)

    found = answer("list")
    assert [each["id"] for each in found] == ["soon", "sum", "rests"]
    assert [each["id"] for each in answer("list", "--state", "paused")] == ["rests"]
    text = call("list")[1]
    assert "minute" in text
    assert text.splitlines()[0].split()[:2] == ["ID", "STATE"]


def test_show_tells_what_is_next_what_was_last_and_who(job):
    scheduler.modify_job("sum", sensitive=["b"], kwargs={"b": "hush-hush"})
    scheduler.run_now("sum")
    data = answer("show", "sum")
    assert len(data["next_runs"]) == 5
    assert data["next_runs"][0] == data["next_run_time"]
    assert data["last_runs"][0]["status"] == "queued"
    assert [change["action"] for change in data["changes"]] == ["changed", "added"]
    assert "hush-hush" not in json.dumps(data) + call("show", "sum")[1]


def test_no_subcommand_shows_a_sensitive_value(job):
    scheduler.modify_job("sum", sensitive=["b"], kwargs={"b": "hush-hush"})
    Job.objects.update(last_error="bad hush-hush")
    for outcome in ({"exception": "ValueError: hush-hush"}, {"reason": "hush-hush"}):
        scheduler.run_now("sum")
        Execution.objects.filter(status=Status.QUEUED).update(status=Status.FAILED, **outcome)
    for words in (("show", "sum"), ("list",), ("history", "sum")):
        assert "hush" not in call(*words)[1] + json.dumps(answer(*words))
    assert answer("list")[0]["last_error"] == "bad ••••••"
    assert [run["reason"] for run in answer("history")] == ["••••••", ""]


def test_show_and_list_bear_what_cannot_be_loaded(job):
    Job.objects.update(trigger="nonsense", func="gone:gone", state=JobState.QUARANTINED)
    assert "cannot be read" in answer("list")[0]["trigger"]
    assert answer("show", "sum")["next_runs"] == []


def test_run_asks_and_says_that_it_waits_when_nobody_is_alive(job):
    code, said = call("run", "sum", "--args", "[5]", "--by", "bob")
    row = Execution.objects.get()
    assert (code, row.args, row.requested_by, row.status) == (0, "[5]", "bob", Status.QUEUED)
    assert "No scheduler process is running" in said


def test_run_and_wait_tells_by_its_code_how_it_went(job, leader, monkeypatch):
    assert call("run", "sum", "--wait", "--timeout", "0")[0] == 5
    Lease.objects.update(holder=None)
    assert call("run", "sum", "--wait", "--timeout", "0")[0] == 4

    def ends(status):
        def refresh(self, using=None):
            self.status, self.exception = status, "ValueError: no"

        monkeypatch.setattr(Execution, "refresh_from_db", refresh)

    ends(Status.SUCCEEDED)
    assert answer("run", "sum", "--wait")["status"] == "succeeded"
    ends(Status.FAILED)
    code, said = call("run", "sum", "--wait")
    assert (code, "ValueError: no" in said) == (1, True)


def test_cancel_and_history_act_on_executions(job):
    execution = scheduler.run_now("sum")
    assert answer("cancel", str(execution.pk), "--by", "bob")["reason"] == "cancelled by bob"
    code, said = call("cancel", str(execution.pk))  # it is there, but it has ended
    assert (code, said) == (1, f"Execution {execution.pk} has ended: cancelled")
    scheduler.run_now("sum")
    scheduler.remove_job("sum")

    assert [row["status"] for row in answer("history", "sum")] == ["cancelled", "cancelled"]
    assert len(answer("history", "--limit", "1")) == 1
    assert answer("history", "--status", "failed") == []
    assert "sum" in call("history")[1]


def test_status_is_ok_only_with_a_leader_and_without_delay(leader):
    data = answer("status")
    assert (data["ok"], data["term"]) == (True, 3)
    assert [(node["host"], node["leads"]) for node in data["nodes"]] == [("h1", True)]
    assert call("status")[1].splitlines()[0] == "OK"

    scheduler.add_job(bodies.noop, "date", run_date=datetime.now(UTC) - timedelta(minutes=5))
    code, said = call("status", "--max-lag", "60")
    assert (code, "late" in said) == (4, True)
    assert call("status", "--max-lag", "600")[0] == 0
    Lease.objects.update(holder=None)
    assert answer("status", code=4)["ok"] is False


def test_a_shell_gets_the_exit_codes(job):
    def run(*words):
        command = [sys.executable, "-m", "django", "scheduler", *words]
        done = subprocess.run(command, env=environment(), capture_output=True, text=True)
        return done.returncode, done.stdout, done.stderr

    assert run("list", "--json")[0] == 0
    code, out, err = run("show", "gone")
    assert (code, out, "gone" in err) == (3, "", True)
    assert run("nonsense")[0] == 2


@pytest.mark.parametrize("words", [("show", "reprot"), ("history", "reprot")])
def test_an_id_that_no_job_has_names_the_one_that_was_meant(words):
    scheduler.add_job(bodies.noop, "interval", hours=1, id="report")
    assert answer(*words, code=3) == {"error": "There is no job 'reprot'; did you mean report?"}


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("audit", "--hours", "nan"), "between 0 and"),
        (("audit", "--hours", "1e300"), "between 0 and"),
        (("audit", "--hours", "-5"), "between 0 and"),
        (("audit", "--limit", "-3"), "between 0 and"),
        (("audit", "--since", "2031-13-01"), "not a date or a date and time, such as"),
        (("history", "--limit", "9" * 40), "between 0 and"),
        (("status", "--max-lag", "nan"), "between 0 and"),
        (("resign", "--timeout", "inf"), "between 0 and"),
        (("run", "job", "--wait", "--timeout", "nan"), "between 0 and"),
        (("run", "job", "--args", "[" * 5_000 + "]" * 5_000), "nested too deeply"),
        (("run", "job", "--args", "[" + "9" * 5_000 + "]"), "not valid JSON"),
    ],
    ids=lambda value: str(value)[:60],
)
def test_a_number_or_time_beyond_its_bound_is_a_usage_error(words, says):
    code, said = call(*words)
    assert (code, says in said) == (1, True), said


def test_a_wait_without_end_is_refused_before_anything_is_queued(job):
    for timeout in (float("nan"), -1):
        with pytest.raises(ValueError, match="timeout must be 0 seconds or more"):
            scheduler.run_now(job.pk, wait=True, timeout=timeout)
    assert not Execution.objects.exists()


def test_whoever_signs_with_what_no_database_takes_is_shown_without_it(job):
    name = "a\0b\nc\udcffd"
    with changed_by(name):
        scheduler.pause_job(job.pk)
    scheduler.pause(requested_by=name)
    cancelled = scheduler.cancel(scheduler.run_now(job.pk, requested_by=name).pk, name)
    shown = "a\ufffdb\ufffdc\ufffdd"
    assert Change.objects.first().by == Lease.objects.get().paused_by == shown
    assert (cancelled.requested_by, cancelled.reason) == (shown, f"cancelled by {shown}")
