"""Faults by kind. A strike injects one and returns when its cause is over, or None: not now."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from .cluster import Cluster, held
from .node import Node
from .record import now
from .servers import Server

BRIEF = 2.0
"""Seconds of a disturbance that is shorter than the lease."""


@dataclass(frozen=True)
class Struck:
    at: float
    """Monotonic time from which a takeover, or without one the first start of a body, counts."""
    bound: float | None = None
    """Seconds within which a successor must hold the lease; None: no takeover is called for."""
    dead: bool = True
    """Whether the old leader is gone for good: a frozen one may hold the lock of SQLite's file."""


@dataclass(frozen=True)
class Fault:
    name: str
    strike: Callable[[Cluster], Struck | None]
    where: str = "all"
    """``all``; ``server``: PostgreSQL and MariaDB; ``rows``: those with row locks."""

    def exists_on(self, cluster: Cluster) -> bool:
        return self.where == "all" or isinstance(cluster.server, Server)


def beyond(cluster: Cluster) -> float:
    """Seconds that are longer than the lease."""
    return cluster.ttl + 1.5


def leader_of(cluster: Cluster) -> Node:
    leader: Node = cluster.wait_for(cluster.leader, 30, "a leader")
    return leader


def kill_same_host(cluster: Cluster) -> Struck | None:
    leader = leader_of(cluster)
    if not any(node.host == leader.host for node in cluster.standbys()):
        return None
    leader.kill()
    return Struck(now(), 1.0)


def kill_other_host(cluster: Cluster) -> Struck | None:
    leader = leader_of(cluster)
    for mate in [node for node in cluster.standbys() if node.host == leader.host]:
        mate.terminate()
        mate.wait(20)
    if cluster.leader() is not leader or not cluster.standbys():
        return None
    leader.kill()
    return Struck(now(), cluster.ttl + 0.5)


def kill_twice(cluster: Cluster) -> Struck | None:
    first = leader_of(cluster)
    if len(cluster.standbys()) < 2:
        return None
    first.kill()
    second = leader_of(cluster)
    second.kill()
    return Struck(now(), cluster.ttl + 0.5)


def kill_standby(cluster: Cluster) -> Struck | None:
    cluster.standbys()[0].kill()
    return Struck(now())


def kill_frozen(cluster: Cluster) -> Struck | None:
    leader = leader_of(cluster)
    leader.freeze()
    time.sleep(BRIEF)
    leader.kill()
    return Struck(now(), cluster.ttl + 0.5)


def kill_worker(cluster: Cluster) -> Struck | None:
    workers = [
        pid for pid in leader_of(cluster).workers()
        if b"spawn_main" in _command_line(pid)
    ]  # fmt: skip
    if not workers:
        return None
    import os
    import signal

    with suppress(ProcessLookupError):
        os.kill(workers[0], signal.SIGKILL)
    return Struck(now())


def terminate(cluster: Cluster) -> Struck | None:
    leader = leader_of(cluster)
    struck = Struck(now(), 0.5)
    leader.terminate()
    leader.wait(30)
    return struck


def resign(cluster: Cluster) -> Struck | None:
    from scheduler.models import Lease

    struck = Struck(now(), 1.0)
    Lease._base_manager.update(resign_requested=True)
    cluster.wait_for_starts(struck.at, 20, "a resignation")
    return struck


def freeze(cluster: Cluster) -> Struck | None:
    leader = leader_of(cluster)
    if not cluster.standbys():
        return None
    leader.freeze()
    struck = Struck(now(), cluster.ttl + 0.5, dead=False)
    time.sleep(beyond(cluster))
    leader.thaw()
    return struck


def freeze_briefly(cluster: Cluster) -> Struck | None:
    leader = leader_of(cluster)
    leader.freeze()
    time.sleep(BRIEF)
    leader.thaw()
    return Struck(now())


def freeze_standby(cluster: Cluster) -> Struck | None:
    standby = cluster.standbys()[0]
    standby.freeze()
    time.sleep(beyond(cluster))
    standby.thaw()
    return Struck(now())


def freeze_all(cluster: Cluster) -> Struck | None:
    """The machine sleeps: nobody can have died of it."""
    for node in cluster.nodes:
        node.freeze()
    time.sleep(beyond(cluster))
    for node in cluster.nodes:
        node.thaw()
    return Struck(now())


def skew_clocks(cluster: Cluster) -> Struck | None:
    """The next leader is one whose wall clock is an hour wrong."""
    leader = leader_of(cluster)
    others = [node for node in cluster.nodes if node is not leader]
    for node, skew in zip(others, (3600, -3600), strict=True):
        node.kill()
        node.start(skew)
    cluster.wait_until_registered(others)
    return terminate(cluster)


def cut(cluster: Cluster) -> Struck | None:
    _proxy(leader_of(cluster)).cut()
    return Struck(now())


def cut_all(cluster: Cluster) -> Struck | None:
    for node in cluster.nodes:
        _proxy(node).cut()
    return Struck(now())


def cut_late(cluster: Cluster) -> Struck | None:
    _proxy(leader_of(cluster)).cut_late()
    return Struck(now())


def stall_briefly(cluster: Cluster) -> Struck | None:
    proxy = _proxy(leader_of(cluster))
    proxy.stall()
    time.sleep(BRIEF)
    proxy.resume()
    return Struck(now())


def stall(cluster: Cluster) -> Struck | None:
    proxy = _proxy(leader_of(cluster))
    proxy.stall()
    struck = Struck(now(), cluster.ttl + 0.5)
    time.sleep(beyond(cluster))
    proxy.resume()
    return struck


def stall_and_cut(cluster: Cluster) -> Struck | None:
    proxy = _proxy(leader_of(cluster))
    proxy.stall()
    struck = Struck(now(), cluster.ttl + 0.5)
    time.sleep(beyond(cluster))
    proxy.cut()
    return struck


def restart_database(cluster: Cluster) -> Struck | None:
    _server(cluster).stop()
    _server(cluster).start()
    return Struck(now())


def crash_database(cluster: Cluster) -> Struck | None:
    _server(cluster).crash()
    _server(cluster).start()
    return Struck(now())


def database_away(cluster: Cluster) -> Struck | None:
    """An outage longer than the lease, with bodies running."""
    _server(cluster).stop()
    time.sleep(beyond(cluster))
    _server(cluster).start()
    return Struck(now())


def freeze_database(cluster: Cluster) -> Struck | None:
    _server(cluster).freeze()
    time.sleep(beyond(cluster))
    _server(cluster).thaw()
    return Struck(now())


def hold_job(cluster: Cluster) -> Struck | None:
    """A user's transaction holds one job's row; on SQLite, the write lock of the database."""
    with held("UPDATE scheduler_job SET name = name WHERE id = 'tick-0'"):
        time.sleep(BRIEF + 1)
    return Struck(now())


def hold_lease(cluster: Cluster) -> Struck | None:
    with held("UPDATE scheduler_lease SET project = project"):
        time.sleep(beyond(cluster))
    return Struck(now())


def hold_history(cluster: Cluster) -> Struck | None:
    with held("UPDATE scheduler_execution SET job_name = job_name WHERE status = 'running'"):
        time.sleep(BRIEF + 1)
    return Struck(now())


FAULTS = [
    Fault("kill -9, standby on the same host", kill_same_host),
    Fault("kill -9, standby on another host", kill_other_host),
    Fault("kill -9, and its successor too", kill_twice),
    Fault("kill -9 of a standby", kill_standby),
    Fault("kill -9 while frozen", kill_frozen),
    Fault("kill -9 of a worker process", kill_worker),
    Fault("SIGTERM", terminate),
    Fault("asked to resign", resign),
    Fault("frozen beyond the lease", freeze),
    Fault("frozen briefly", freeze_briefly),
    Fault("standby frozen", freeze_standby),
    Fault("all frozen", freeze_all),
    Fault("clocks an hour wrong", skew_clocks, "server"),
    Fault("leader's connections cut", cut, "server"),
    Fault("all connections cut", cut_all, "server"),
    Fault("cut, statements arrive late", cut_late, "server"),
    Fault("network stalls briefly", stall_briefly, "server"),
    Fault("network stalls beyond the lease", stall, "server"),
    Fault("network stalls, then cut", stall_and_cut, "server"),
    Fault("database restarted", restart_database, "server"),
    Fault("database killed", crash_database, "server"),
    Fault("database away beyond the lease", database_away, "server"),
    Fault("database frozen beyond the lease", freeze_database, "server"),
    Fault("a user holds a job's row", hold_job),
    Fault("a user holds the lease's row", hold_lease),
    Fault("a user holds running rows", hold_history),
]


def _proxy(node: Node):  # type: ignore[no-untyped-def]
    assert node.proxy is not None
    return node.proxy


def _server(cluster: Cluster) -> Server:
    assert isinstance(cluster.server, Server)
    return cluster.server


def _command_line(pid: int) -> bytes:
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    return b""
