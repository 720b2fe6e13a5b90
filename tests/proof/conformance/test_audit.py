"""``manage.py scheduler audit``: a second opinion about every slot."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from scheduler import scheduler, triggers
from scheduler.engine.maintenance.retention import Retention
from scheduler.models import Change, Execution, Job
from scheduler.monitoring.audit import audit

from . import bodies
from .jobs import every_second, runs, second


@pytest.fixture
def start(database_clock) -> datetime:
    return database_clock.now()


@pytest.fixture
def ticking(a, start, database_clock) -> None:
    """A job each second, that ran on time, was missed for a while, and ran again."""
    scheduler.add_job(
        bodies.note, "interval", seconds=1, id="job", start_date=start, timezone=UTC,
        next_run_time=start,
    )  # fmt: skip
    for seconds in (0, 1, 1, 5, 1):
        database_clock.move(seconds)
        expected = len(runs(status="succeeded")) + 1
        a.turn_until(lambda expected=expected: len(runs(status="succeeded")) == expected)
    database_clock.move(5)


def found(start: datetime) -> list[tuple[str, float, str]]:
    report = audit("default", start - timedelta(hours=1), second(start, 8))
    return [(f.job_id, (f.slot - start).total_seconds(), f.what) for f in report.findings]


def test_slots_that_ran_and_stretches_that_did_not_are_explained(ticking, start):
    report = audit("default", start - timedelta(hours=1), second(start, 8))
    assert (report.owed, report.findings, report.notes) == (9, [], [])
    assert report.outcomes == {"succeeded": 5, "skipped": 4}


def test_a_row_that_vanished_is_found(ticking, start):
    Execution.objects.filter(scheduled_run_time=second(start, 1)).delete()
    assert found(start) == [("job", 1.0, "owed, not in the ledger")]


def test_a_stretch_that_counts_too_few_is_found(ticking, start):
    Execution.objects.filter(slots=4).update(slots=3)
    assert [what for _, _, what in found(start)] == ["skipped for 3 slots, and 4 were owed"]


def test_a_row_that_nobody_owed_is_found(ticking, start):
    row = Execution.objects.get(scheduled_run_time=second(start, 1))
    row.pk, row.scheduled_run_time = None, second(start, 1.5)
    row.save(force_insert=True)
    assert found(start) == [("job", 1.5, "succeeded for 1 slots, and 0 were owed")]


def test_a_next_run_time_moved_behind_the_records_back_is_found(a, ticking, start, database_clock):
    Job.objects.update(next_run_time=second(start, 12))
    database_clock.set(second(start, 12))
    a.turn_until(lambda: runs(scheduled_run_time=second(start, 12), status="succeeded"))
    database_clock.move(5)
    report = audit("default", start, second(start, 12))
    assert [(f.slot - start).total_seconds() for f in report.findings] == [9, 10, 11]


@pytest.mark.parametrize(("since", "until"), [(0, 5), (3, 8), (4, 5), (3, 3)])
def test_a_stretch_that_reaches_out_of_the_period_explains_what_lies_in_it(
    ticking, start, since, until
):
    report = audit("default", second(start, since), second(start, until))
    assert (report.owed, report.findings) == (until - since + 1, [])


def test_segments_that_overlap_since_the_clock_was_set_back_are_told_apart(
    a, ticking, start, database_clock
):
    """It ran at 0, 1, 2, 7, 8 and skipped 3 to 6; then the clock was set back, and it changed."""
    database_clock.set(second(start, 4.1))
    scheduler.reschedule_job("job", trigger="interval", seconds=0.5)  # 4.6, 5.1 ...
    database_clock.set(second(start, 7))
    done = len(runs(status="succeeded"))
    a.turn_until(lambda: len(runs(status="succeeded")) > done)
    database_clock.set(second(start, 20))
    report = audit("default", start, second(start, 7))
    assert (report.findings, report.outcomes["skipped"]) == ([], 4 + 4)


def test_changes_begin_new_segments_and_explain_what_they_dropped(a, start, database_clock):
    every_second(start)
    Change.objects.update(after=json.dumps(_recorded(start)))
    a.turn_until(lambda: runs(status="succeeded"))
    database_clock.move(3)  # three are due, and are taken out by the change
    scheduler.reschedule_job(
        "job", trigger="interval", seconds=2, start_date=second(start, 4), timezone=UTC
    )
    database_clock.set(second(start, 6))
    a.turn_until(lambda: len(runs(status="succeeded")) == 2)
    scheduler.pause_job("job")
    database_clock.set(second(start, 60))
    report = audit("default", start, second(start, 50))
    assert (report.findings, report.notes) == ([], [])
    assert (report.owed, report.dropped) == (3, 3)


def _recorded(start: datetime) -> dict[str, str]:
    trigger = triggers.build("interval", seconds=1, start_date=start, timezone=UTC)
    return {"trigger": triggers.dumps(trigger), "next_run_time": start.isoformat()}


def test_a_trigger_that_was_changed_behind_our_back_is_planned_before_it_is_claimed(
    a, start, ticking, database_clock, monkeypatch
):
    """Somebody changes the trigger between the leader's poll and its claim of the due job: the new
    trigger does not count from the old time on."""
    leader = a.scheduler.loop.leader
    polled = a.do(lambda: leader.poller.poll(tuple(leader.dispatcher.executors)))
    other = triggers.dumps(triggers.build("interval", seconds=10, timezone=UTC))
    Job.objects.update(trigger=other)
    leader._chores_at = float("inf")
    with monkeypatch.context() as earlier:
        earlier.setattr(leader.poller, "poll", lambda executors: polled)
        a.turn()
    assert Job.objects.get().next_run_time == second(start, 9)
    leader._chores_at = 0.0
    a.turn()
    assert Job.objects.get().next_run_time == database_clock.now() + timedelta(seconds=10)
    report = audit("default", start, second(start, 11))
    assert (report.findings, report.dropped) == ([], 5)


def test_a_removed_job_is_audited_up_to_its_removal(a, start, ticking):
    scheduler.remove_job("job")
    assert found(start) == []


def test_a_one_shot_that_ran_and_left_no_row_is_audited(a, start, database_clock):
    scheduler.add_job(bodies.note, "date", run_date=start, id="once")
    a.turn_until(lambda: runs(status="succeeded"))
    database_clock.move(10)
    report = audit("default", start - timedelta(hours=1))
    assert (report.owed, report.findings) == (1, [])
    Execution.objects.all().delete()
    assert len(audit("default", start - timedelta(hours=1)).findings) == 1


def test_a_job_that_is_due_and_unclaimed_is_found(start, database_clock):
    every_second(start)
    database_clock.move(120)
    findings = audit("default", start).findings
    assert [f.what for f in findings] == ["due, and no scheduler has claimed it"]


def test_what_cannot_be_recomputed_is_said(start):
    Job.objects.create(id="raw", trigger="{}", planned_trigger="{}", func="tests:x")
    scheduler.add_job(bodies.note, "interval", seconds=5, jitter=2, id="jitter")
    notes = audit("default", start).notes
    assert [note.split(":")[0] for note in notes] == ["jitter", "raw"]


@pytest.mark.parametrize("manual", [0, 1, 2, 3])
def test_what_retention_by_count_took_is_not_judged(a, ticking, start, settings, manual):
    """It counts every row of the job: here runs at 0, 1, 2, 7, 8 and one for 3 to 6."""
    last = Execution.objects.latest("id")
    for _ in range(manual):
        last.pk, last.kind, last.scheduled_run_time = None, "manual", None
        last.save(force_insert=True)
    settings.APSCHEDULER_KEEP_PER_JOB = keep = 3
    assert Retention(a.lease).step(last.finished_at) == 6 + manual - keep
    report = audit("default", start - timedelta(hours=1), second(start, 8))
    assert report.findings == []
    assert "its history begins at" in report.notes[0]


def test_rows_that_were_imported_and_look_old_do_not_hide_the_cut(a, ticking, start, settings):
    Execution.objects.update(queued_at=start - timedelta(hours=2))
    settings.APSCHEDULER_KEEP_PER_JOB = 1
    assert Retention(a.lease).step(start) == 5
    assert found(start) == []


def test_a_job_whose_record_cannot_be_read_stops_no_other(ticking, start):
    scheduler.add_job(bodies.note, "interval", seconds=5, id="broken")
    change = Change.objects.get(job_id="broken")
    change.after = json.dumps(json.loads(change.after) | {"trigger": "{}"})
    change.save()
    change.pk, change.action, change.before, change.after = None, "changed", "{}", '{"trigger":"x"}'
    change.save(force_insert=True)
    report = audit("default", start - timedelta(hours=1), second(start, 8))
    assert (report.owed, report.findings) == (9, [])
    (note,) = report.notes
    assert note.startswith("broken: not compared")


def test_the_command_prints_findings_and_ends_with_1(ticking, start):
    out = StringIO()
    options = {"since": start, "until": second(start, 8)}
    call_command("scheduler", "audit", **options, stdout=out)
    assert "5 succeeded" in out.getvalue()
    Execution.objects.filter(scheduled_run_time=second(start, 1)).delete()
    with pytest.raises(SystemExit) as ended:
        call_command("scheduler", "audit", **options, json=True, stdout=(out := StringIO()))
    assert ended.value.code == 1
    assert [f["what"] for f in json.loads(out.getvalue())["unexplained"]] == [
        "owed, not in the ledger"
    ]


def test_resign_hands_over_and_says_how_long_nobody_led(a, b):
    a.lead()
    b.register()
    out = StringIO()

    def others() -> None:
        a.turn()
        b.turn()

    from scheduler.management.subcommands import processes

    real, processes.sleep = processes.sleep, lambda _: others()
    try:
        call_command("scheduler", "resign", stdout=out)
    finally:
        processes.sleep = real
    assert "leads in term 2" in out.getvalue()
    assert (a.leads, b.leads) == (False, True)


def test_resign_without_a_leader_says_so():
    with pytest.raises(SystemExit) as ended:
        call_command("scheduler", "resign", stdout=StringIO())
    assert ended.value.code == 4
