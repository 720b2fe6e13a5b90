"""supervisord, started as docs/deploy.md says."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from pathlib import Path

import pytest

from tests.boot import ledger
from tests.boot.site import Site, copy_of, processes
from tests.boot.waiting import until

HOST = "deploy/supervisord/host.conf"
CONTAINER = "deploy/supervisord/container.conf"


def ctl(site: Site, *words: str, conf: str = HOST) -> subprocess.CompletedProcess[str]:
    return site.run("-m", "supervisor.supervisorctl", "-c", conf, *words)


def pid_of(site: Site, program: str) -> int:
    found = re.search(rf"^{program}\s+RUNNING\s+pid (\d+)", ctl(site, "status").stdout, re.M)
    return int(found[1]) if found else 0


def edit(site: Site, conf: str, **lines: str) -> None:
    """Change a setting wherever the file has it."""
    path = site.path / conf
    text = path.read_text()
    for name, value in lines.items():
        text, changed = re.subn(rf"^{name}=.*$", f"{name}={value}", text, flags=re.M)
        assert changed, name
    path.write_text(text)


def test_a_day_with_supervisord(site: Site):
    """Start, kill -9 of the scheduler, a second supervisord, a restart, an orderly end."""
    supervisor = site.supervisord(HOST)
    until(lambda: site.get("/healthz")[0] == 200, 15, "answered by web")
    assert site.wait_for_leader()["status"] == 200
    assert site.get("/readyz")[0] == 200
    assert site.get("/")[0] == 200
    until(lambda: ledger.ticks(site.database) >= 2, 10, "two ticks")

    first = until(lambda: pid_of(site, "scheduler"), 10, "a running scheduler")
    os.kill(first, signal.SIGKILL)
    until(lambda: pid_of(site, "scheduler") not in (0, first), 15, "restarted after kill -9")
    assert until(lambda: (h := site.health())["term"] == 2 and h["led"] and h, 10, "term 2")

    second = site.run("-m", "supervisor.supervisord", "--nodaemon", "-c", HOST)
    assert second.returncode == 2
    assert "Another program is already listening" in second.stderr
    assert len(processes(site.path, "runapscheduler")) == 1

    assert ctl(site, "restart", "scheduler").returncode == 0
    until(lambda: site.health()["term"] == 3, 10, "term 3")
    until(lambda: ctl(site, "status").returncode == 0, 10, "all up")
    assert site.stop(supervisor) == 0
    assert processes(site.path) == []
    outcomes = ledger.check(site.database)
    assert outcomes["succeeded"] >= 4, outcomes


def test_when_supervisord_is_killed_its_programs_leave_and_a_new_one_starts(site: Site):
    supervisor = site.supervisord(HOST)
    site.wait_for_leader()
    supervisor.kill()
    supervisor.wait()
    until(lambda: processes(site.path) == [], 10, "left by all processes")
    again = site.supervisord(HOST)
    site.wait_for_leader()
    until(lambda: ledger.ticks(site.database) >= 4, 15, "ticking again")
    assert site.stop(again) == 0
    ledger.check(site.database)


def test_supervisord_drains_a_running_job(site: Site):
    supervisor = site.supervisord(HOST)
    site.wait_for_leader()
    site.run_now("held")
    until((site.path / "var" / "held").exists, 10, "begun")
    supervisor.send_signal(signal.SIGTERM)
    # The lease is handed over at once, while the job goes on.
    expires = "SELECT holder FROM scheduler_lease"
    until(lambda: ledger.read(site.database, expires)[0][0] is None, 5, "handed over")
    assert processes(site.path, "runapscheduler")
    (site.path / "var" / "let-go").touch()
    assert supervisor.wait(20) == 0
    row = "SELECT status, return_value FROM scheduler_execution WHERE job_id = 'held'"
    assert ledger.read(site.database, row) == [("succeeded", '"let go"')]
    ledger.check(site.database)


@pytest.mark.parametrize("conf", [HOST, CONTAINER])
def test_a_careless_numprocs_is_refused(site: Site, conf: str):
    edit(site, conf, numprocs="2")
    refused = site.run("-m", "supervisor.supervisord", "--nodaemon", "-c", conf)
    assert refused.returncode == 2
    assert "%(process_num) must be present within process_name" in refused.stderr
    assert processes(site.path) == []


def test_in_a_container_a_program_that_is_given_up_ends_it(site: Site, tmp_path: Path):
    edit(site, CONTAINER, startretries="1")
    text = (site.path / CONTAINER).read_text().replace("/tmp/", f"{tmp_path}/")
    (site.path / CONTAINER).write_text(text)
    site.database.unlink()
    supervisor = site.supervisord(CONTAINER)
    # Its own exit code is 0 whatever happened: compose.yaml restarts on that, too.
    assert supervisor.wait(40) == 0
    log = until(lambda: "Given up" in site.log() and site.log(), 5, "logged")
    assert "Run: python manage.py migrate" in log
    assert "Given up: processname:scheduler" in log
    assert processes(site.path) == []


def test_in_a_container_both_programs_log_to_stdout_once(site: Site, tmp_path: Path):
    text = (site.path / CONTAINER).read_text().replace("/tmp/", f"{tmp_path}/")
    (site.path / CONTAINER).write_text(text)
    supervisor = site.supervisord(CONTAINER)
    site.wait_for_leader()
    assert site.stop(supervisor) == 0
    assert site.log().count("Leader: term 1") == 1
    assert site.log().count("Starting gunicorn") == 1


@pytest.mark.parametrize("folder", ["My Projects", "100%done", "a'b"])
@pytest.mark.parametrize("conf", [HOST, CONTAINER], ids=["host", "container"])
def test_supervisord_starts_the_project_in_any_folder(
    baked: Path, tmp_path_factory, folder: str, conf: str
):
    with copy_of(baked, tmp_path_factory.mktemp("site") / folder / "site") as site:
        text = (site.path / conf).read_text().replace("/tmp/", f"{site.path.parent.parent}/")
        (site.path / conf).write_text(text.replace("%", "%%") if conf == CONTAINER else text)
        supervisor = site.supervisord(conf)
        assert site.wait_for_leader()["status"] == 200
        assert site.stop(supervisor) == 0
