"""runapscheduler --reload: new code in a new process, and nothing is lost on the way."""

from __future__ import annotations

import os
import signal

from tests.boot import ledger
from tests.boot.site import Site, processes
from tests.boot.waiting import until

LATER = """

@job("interval", seconds=1, id="later")
def later() -> None:
    pass
"""


def begin(site: Site) -> tuple[int, int]:
    """Process ids of the parent and of the scheduler that it started, which has run a job."""
    parent = site.start("manage.py", "runapscheduler", "--reload", log="reload.log")
    until(lambda: ledger.ticks(site.database), 30, "a first run")
    (child,) = set(schedulers(site)) - {parent.pid}
    return parent.pid, child


def schedulers(site: Site) -> list[int]:
    return processes(site.path, "runapscheduler")


def end(site: Site, parent: int) -> None:
    os.kill(parent, signal.SIGTERM)
    until(lambda: schedulers(site) == [], 20, "gone")


def test_new_code_runs_without_a_restart_by_hand(site: Site):
    parent, child = begin(site)
    jobs = site.path / "home" / "jobs.py"
    jobs.write_text(jobs.read_text() + LATER)
    later = "SELECT id FROM scheduler_execution WHERE job_id = 'later' AND status = 'succeeded'"
    until(lambda: ledger.read(site.database, later), 30, "a run of the new job")
    assert "Code has changed, restarting" in site.log("reload.log")
    assert child not in schedulers(site)
    assert parent in schedulers(site)
    end(site, parent)
    assert ledger.check(site.database).keys() <= {"succeeded", "skipped"}


def test_code_that_cannot_be_imported_is_waited_for(site: Site):
    parent, _ = begin(site)
    apps = site.path / "home" / "apps.py"
    good = apps.read_text()
    apps.write_text(good + "\nthis is no Python\n")
    until(lambda: "waiting for a change" in site.log("reload.log"), 30, "told")
    assert schedulers(site) == [parent]
    before = ledger.ticks(site.database)
    apps.write_text(good)
    until(lambda: ledger.ticks(site.database) > before, 30, "running again")
    end(site, parent)


def test_a_signal_to_the_parent_ends_both_in_order(site: Site):
    parent, _ = begin(site)
    end(site, parent)
    assert "Traceback" not in site.log("reload.log")
    running = "SELECT id FROM scheduler_execution WHERE status IN ('running', 'lost')"
    assert ledger.read(site.database, running) == []
