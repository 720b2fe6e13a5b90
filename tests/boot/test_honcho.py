"""Procfile and Procfile.dev, by the runner that developers use."""

from __future__ import annotations

import re
import signal
import subprocess

import pytest

from tests.boot import ledger
from tests.boot.site import Site, processes
from tests.boot.waiting import until


def test_two_schedulers_one_leader(site: Site):
    words = ("start", "--concurrency", "web=1,scheduler=2", "--port", str(site.port))
    runner = site.start("-m", "honcho", "--procfile", "Procfile.dev", *words)
    health = site.wait_for_leader(within=25)
    assert until(lambda: site.health()["schedulers"] == 2, 10, "joined by a standby")
    assert health["term"] == 1
    until(lambda: ledger.ticks(site.database) >= 3, 10, "three ticks")
    runner.send_signal(signal.SIGTERM)
    runner.wait(15)
    assert processes(site.path) == []
    ledger.check(site.database)
    # `exec` in the Procfile: each process got the signal itself, and left in order.
    assert "Shutting down: Master" in site.log()
    assert len(re.findall(r"scheduler\.\d stopped \(rc=0\)", site.log())) == 2


def test_make_run(site: Site):
    """What it does once all is installed. honcho leaves .env to the project."""
    site.write_settings(BIND="127.0.0.1:1", PORT="1")
    recipe = site.make_run()[-1]
    runner = subprocess.Popen(
        ["sh", "-c", f"exec env {recipe}"],
        cwd=site.path,
        env=site.environment(),
        start_new_session=True,
    )
    site.started.append(runner)
    site.wait_for_leader(within=40)
    assert site.get("/")[0] == 200
    runner.send_signal(signal.SIGINT)
    runner.wait(20)
    assert processes(site.path) == []


@pytest.mark.parametrize("migrated", [True, False], ids=["migrated", "new database"])
def test_the_procfile_of_platforms(site: Site, migrated: bool):
    """honcho ends all when one ends, as a release does: here it waits until the others stop."""
    if not migrated:
        site.database.unlink()
    # As docs/deploy.md starts it: what .env says of BIND does not count.
    site.write_settings(BIND="127.0.0.1:1")
    words = ("-m", "honcho", "--env", "/dev/null", "start")
    runner = site.start(*words, BIND=f"127.0.0.1:{site.port}")
    health = site.wait_for_leader(within=40)
    assert health["term"] == 1
    assert site.get("/readyz")[0] == 200
    until(lambda: ledger.ticks(site.database) >= 2, 10, "two ticks")
    assert "release.1 started" in site.log()
    assert "release.1 stopped" not in site.log()
    runner.send_signal(signal.SIGTERM)
    runner.wait(20)
    assert processes(site.path) == []
    ledger.check(site.database)


def test_a_platform_s_release_ends(site: Site):
    """Nobody waits where no honcho started it, and an error is one."""
    site.database.unlink()
    for name, code in (("site.sqlite3", 0), ("not/there/site.sqlite3", 1)):
        url = f"sqlite:///{site.path}/var/{name}"
        site.write_settings(DATABASE_URL=url)
        done = subprocess.run(
            ["sh", "-c", procfile(site)["release"]],
            cwd=site.path,
            env=site.environment(),
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == code, done.stderr
        check = site.manage("migrate", "--check", check=False)
        assert bool(check.returncode) == bool(code)


def test_a_platform_s_scheduler_is_that_process(site: Site):
    """A signal reaches it without a shell in between."""
    process = subprocess.Popen(
        ["sh", "-c", procfile(site)["scheduler"]], cwd=site.path, env=site.environment()
    )
    site.started.append(process)
    site.start("-m", "gunicorn", log="web.log")
    site.wait_for_leader()
    assert processes(site.path, "runapscheduler") == [process.pid]
    assert site.stop(process) == 0


def procfile(site: Site) -> dict[str, str]:
    lines = (site.path / "Procfile").read_text().splitlines()
    return dict(line.split(": ", 1) for line in lines)


def test_the_procfiles_are_understood(site: Site):
    for name, names in (
        ("Procfile", "release, web, scheduler"),
        ("Procfile.dev", "web, scheduler"),
    ):
        done = site.run("-m", "honcho", "--procfile", name, "check")
        assert done.returncode == 0
        assert names in done.stderr
