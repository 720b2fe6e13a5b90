"""How two schedulers come about, whatever manages the processes: each slot still runs once."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Callable
from contextlib import suppress

import pytest

from tests.boot import ledger
from tests.boot.site import Site, processes
from tests.boot.waiting import until

HOST = "deploy/supervisord/host.conf"


def several_processes_of_one_program(site: Site) -> None:
    """``numprocs=3`` by somebody who has also changed the name."""
    _change(site, r"^numprocs=1$", "numprocs=3")
    _change(site, r"^process_name=.*$", "process_name=%(program_name)s-%(process_num)s")
    site.supervisord(HOST)
    _living(site, 3)


def a_second_supervisord(site: Site) -> None:
    """With a socket and a pid file of its own."""
    site.supervisord(HOST)
    text = (site.path / HOST).read_text()
    second = "deploy/supervisord/second.conf"
    changed = re.sub(r"(supervisor\.sock|supervisord\.pid)", r"second-\1", text)
    (site.path / second).write_text(changed)
    _living(site, 1)
    site.supervisord(second)
    _living(site, 2)


def orphans_of_a_killed_supervisord(site: Site) -> None:
    """Its programs live on where setpriv is left out, and a new supervisord starts cleanly."""
    _change(site, r"setpriv --pdeathsig TERM -- ", "")
    supervisor = site.supervisord(HOST)
    _living(site, 1)
    supervisor.kill()
    supervisor.wait()
    assert len(processes(site.path, "runapscheduler")) == 1
    site.supervisord(HOST)
    _living(site, 2)


def started_by_hand_beside_the_service(site: Site) -> None:
    first = site.scheduler("first.log")
    _living(site, 1)
    site.scheduler("second.log")
    _living(site, 2)
    first.kill()
    until(lambda: "Leader: term 2" in site.log("second.log"), 10, "taken over")


def a_deploy_that_overlaps(site: Site) -> None:
    """New before old, as most platforms do: Heroku, Dokku, Render, Railway, a rolling update."""
    old = site.scheduler("old.log")
    _living(site, 1)
    site.scheduler("new.log")
    _living(site, 2)
    old.send_signal(signal.SIGTERM)
    until(lambda: "Leader: term 2" in site.log("new.log"), 10, "taken over")
    assert old.wait(10) == 0


def scaled_to_two(site: Site) -> None:
    """``ps:scale scheduler=2``, ``replicas: 2``."""
    words = ("--procfile", "Procfile.dev", "start", "-c", "web=0,scheduler=2")
    site.start("-m", "honcho", *words)
    _living(site, 2)


def frozen_and_thawed(site: Site) -> None:
    """A machine that sleeps, a live migration: the old leader wakes and believes in its term."""
    first = site.scheduler("first.log")
    _living(site, 1)
    site.scheduler("second.log")
    _living(site, 2)
    first.send_signal(signal.SIGSTOP)
    until(lambda: "Leader: term 2" in site.log("second.log"), 15, "taken over after the TTL")
    first.send_signal(signal.SIGCONT)
    until(lambda: "No longer leader of term 1" in site.log("first.log"), 10, "demoted")


WAYS = [
    several_processes_of_one_program,
    a_second_supervisord,
    orphans_of_a_killed_supervisord,
    started_by_hand_beside_the_service,
    a_deploy_that_overlaps,
    scaled_to_two,
    frozen_and_thawed,
]


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_the_ledger_stays_exact(site: Site, way: Callable[[Site], None]):
    way(site)
    before = ledger.ticks(site.database)
    until(lambda: ledger.ticks(site.database) >= before + 2, 15, "two more ticks")
    assert _count_of_leaders(site) == 1
    for supervisor in processes(site.path, "supervisor.supervisord"):
        _end(supervisor)
    for process in processes(site.path, "runapscheduler"):
        _end(process)
    until(lambda: not processes(site.path, "runapscheduler"), 20, "stopped")
    ledger.check(site.database)


def _change(site: Site, pattern: str, by: str) -> None:
    path = site.path / HOST
    text, changed = re.subn(pattern, by, path.read_text(), flags=re.M)
    assert changed, pattern
    path.write_text(text)


def _living(site: Site, number: int) -> None:
    """So many schedulers are up, and one of them leads."""
    rows = (
        "SELECT count(*) FROM scheduler_node WHERE role != 'stopped' "
        "AND beat_at > strftime('%Y-%m-%d %H:%M:%f', 'now', '-4 seconds')"
    )
    until(lambda: ledger.read(site.database, rows)[0][0] >= number, 30, f"{number} alive")
    until(lambda: _count_of_leaders(site) == 1, 15, "led by one")


def _count_of_leaders(site: Site) -> int:
    """Terms that have not ended, whose holder has the lease."""
    rows = (
        "SELECT count(*) FROM scheduler_term t JOIN scheduler_lease l ON l.term = t.term "
        "AND l.holder = t.node_id WHERE t.ended_at IS NULL"
    )
    return int(ledger.read(site.database, rows)[0][0])


def _end(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)
