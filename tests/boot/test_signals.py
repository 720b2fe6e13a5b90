"""How a scheduler leaves: each signal, idle and busy, on real processes."""

from __future__ import annotations

import os
import signal
import subprocess
import time

import pytest

from tests.boot import ledger
from tests.boot.site import Site
from tests.boot.waiting import until

HOLDER = "SELECT holder FROM scheduler_lease"


def start(site: Site) -> subprocess.Popen[str]:
    process = site.scheduler()
    until(lambda: ledger.ticks(site.database) >= 1, 20, "a tick")
    return process


def busy(site: Site) -> subprocess.Popen[str]:
    process = start(site)
    site.run_now("held")
    until((site.path / "var" / "held").exists, 10, "begun")
    return process


def handed_over(site: Site) -> bool:
    return ledger.read(site.database, HOLDER)[0][0] is None


def outcome(site: Site) -> tuple[str, str]:
    rows = "SELECT status, reason FROM scheduler_execution WHERE job_id = 'held'"
    return ledger.read(site.database, rows)[0]


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT", "SIGQUIT"])
def test_idle_it_leaves_at_once_and_hands_the_lease_over(site: Site, name: str):
    process = start(site)
    began = time.monotonic()
    process.send_signal(getattr(signal, name))
    assert process.wait(10) == 0
    assert time.monotonic() - began < 3
    assert handed_over(site)
    ledger.check(site.database)


@pytest.mark.parametrize("times", [1, 3])
def test_sigterm_waits_for_the_running_job_however_often_it_comes(site: Site, times: int):
    process = busy(site)
    for _ in range(times):
        process.send_signal(signal.SIGTERM)
    until(lambda: handed_over(site), 5, "handed over while the job goes on")
    assert process.poll() is None
    (site.path / "var" / "let-go").touch()
    assert process.wait(10) == 0
    assert outcome(site) == ("succeeded", "")
    ledger.check(site.database)


def test_a_second_sigint_does_not_wait(site: Site):
    process = busy(site)
    process.send_signal(signal.SIGINT)
    until(lambda: handed_over(site), 5, "handed over")
    assert process.poll() is None
    process.send_signal(signal.SIGINT)
    assert process.wait(5) == 0
    assert outcome(site)[0] == "lost"
    ledger.check(site.database)


def test_sigquit_does_not_wait(site: Site):
    process = busy(site)
    process.send_signal(signal.SIGQUIT)
    assert process.wait(5) == 0
    assert outcome(site)[0] == "lost"


def test_a_job_that_outlasts_the_drain_is_recorded_and_told(site: Site):
    site.write_settings(APSCHEDULER_DRAIN_TIMEOUT="1")
    process = busy(site)
    process.send_signal(signal.SIGTERM)
    assert process.wait(10) == 0
    assert outcome(site) == ("lost", "its scheduler stopped and waited 1 s for it")
    log = site.log("scheduler.log")
    assert "1 runs outlasted the drain of 1 s: recorded as lost" in log
    # The last alert is mailed before the process ends: here to the console.
    assert "held lost" in log
    ledger.check(site.database)


def test_signals_during_the_first_second_end_it_as_well(site: Site):
    """Handlers are there before the loop is."""
    process = site.scheduler()
    until(lambda: _handles(process.pid, signal.SIGTERM), 20, "handled")
    process.send_signal(signal.SIGTERM)
    assert process.wait(10) == 0


def test_a_failure_is_mailed(site: Site):
    process = start(site)
    site.run_now("broken")
    rows = "SELECT status FROM scheduler_execution WHERE job_id = 'broken'"
    until(lambda: ledger.read(site.database, rows) == [("failed",)], 10, "failed")
    assert site.stop(process) == 0
    log = site.log("scheduler.log")
    assert "broken failed" in log
    assert "ValueError: no such order" in log
    assert "https://example.com/admin/scheduler/execution/" in log


def _handles(pid: int, number: signal.Signals) -> bool:
    with open(f"/proc/{pid}/status") as status:
        caught = next(line for line in status if line.startswith("SigCgt:"))
    return bool(int(caught.split()[1], 16) >> (number - 1) & 1) and os.path.exists(f"/proc/{pid}")
