"""Procfile and Procfile.dev, by the runner that developers use."""

from __future__ import annotations

import re
import signal

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


def test_the_procfiles_are_understood(site: Site):
    for procfile, names in (
        ("Procfile", "release, web, scheduler"),
        ("Procfile.dev", "web, scheduler"),
    ):
        done = site.run("-m", "honcho", "--procfile", procfile, "check")
        assert done.returncode == 0
        assert names in done.stderr


def test_the_release_command(site: Site):
    site.database.unlink()
    done = site.run("-m", "honcho", "--procfile", "Procfile", "run", "sh", "-c", _release(site))
    assert done.returncode == 0, done.stderr
    assert site.manage("migrate", "--check", check=False).returncode == 0


def _release(site: Site) -> str:
    line = (site.path / "Procfile").read_text().splitlines()[0]
    name, _, command = line.partition(": ")
    assert name == "release"
    return command
