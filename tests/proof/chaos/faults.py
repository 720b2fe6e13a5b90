"""Faults of processes. A strike injects one and returns when it is over, or None: not now."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from . import skew
from .cluster import Cluster
from .node import Node
from .record import now

SAME_HOST, HANDOVER, RESIGNATION, RECONNECT = 1.0, 0.5, 1.0, 2.0
"""Seconds that the design allows; another host has the lease's TTL and half a second."""
BRIEF = 2.0
"""Seconds of a disturbance that is shorter than the lease."""


@dataclass(frozen=True)
class Struck:
    at: float
    """Monotonic time from which a takeover, or without one the first start of a body, counts."""
    takeover: float | None = None
    """Seconds within which a successor must hold the lease; None: no takeover is called for."""
    service: float | None = None
    """Seconds within which a body must start."""
    dead: bool = True
    """Whether the old leader is gone for good: a frozen one may hold the lock of SQLite's file."""


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
    return Struck(leader.kill(), SAME_HOST)


def kill_other_host(cluster: Cluster) -> Struck | None:
    leader = leader_of(cluster)
    for mate in [node for node in cluster.standbys() if node.host == leader.host]:
        mate.terminate()
        mate.wait(20)
    if cluster.leader() is not leader or not cluster.standbys():
        return None
    return Struck(leader.kill(), cluster.ttl + 0.5)


def kill_twice(cluster: Cluster) -> Struck | None:
    first = leader_of(cluster)
    if len(cluster.standbys()) < 2:
        return None
    first.kill()
    second = leader_of(cluster)
    return Struck(second.kill(), cluster.ttl + 0.5)


def kill_standby(cluster: Cluster) -> Struck | None:
    cluster.standbys()[0].kill()
    return Struck(now())


def kill_frozen(cluster: Cluster) -> Struck | None:
    leader = leader_of(cluster)
    leader.freeze()
    time.sleep(BRIEF)
    return Struck(leader.kill(), cluster.ttl + 0.5)


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
    struck = Struck(now(), HANDOVER)
    leader.terminate()
    leader.wait(30)
    return struck


def resign(cluster: Cluster) -> Struck | None:
    from scheduler.models import Lease

    struck = Struck(now(), RESIGNATION)
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
    if not skew.is_possible():
        return None
    leader = leader_of(cluster)
    others = [node for node in cluster.nodes if node is not leader]
    for node, seconds in zip(others, (3600, -3600), strict=True):
        node.kill()
        node.start(seconds)
    cluster.wait_until_registered(others)
    return terminate(cluster)


def set_clock_forward(cluster: Cluster) -> Struck | None:
    """The whole machine's, so the database's: every lease has expired at once."""
    return _set_clock(20)


def set_clock_back(cluster: Cluster) -> Struck | None:
    return _set_clock(-8)


def _set_clock(by: int) -> Struck | None:
    if not skew.is_possible():
        return None
    skew.set_clock(by)
    return Struck(now())


def _command_line(pid: int) -> bytes:
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    return b""
