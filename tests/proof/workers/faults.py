"""Faults of workers and leaders. A strike returns what it struck, or None: not now."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from tests.proof.chaos import faults, skew
from tests.proof.chaos.record import now

from .cluster import WorkerNode, WorkersCluster

SAME_HOST, STOPPED = 2.0, 30.0
"""Seconds until a dead worker's runs are lost, and after which a process manager kills."""
BRIEF = 2.0
JUDGED_WITHIN = 180.0
"""Seconds after which it is no lateness. A leader that is too slow to keep its lease judges nobody:
its successor counts the silence of a worker from the beginning."""


@dataclass(frozen=True)
class Struck:
    at: float
    """When it was over, on the monotonic clock: from then on a worker must start a body."""
    bound: float | None = None
    """Seconds within which it must."""
    other: list[tuple[str, float, float | None]] = field(default_factory=list)
    """What else was measured: what, seconds, the bound."""
    takeover: float | None = None
    """Seconds from ``at`` within which a standby must lead; None: nobody needs to."""
    dropped: list[int] = field(default_factory=list)
    """Executions whose messages are gone."""
    spared: list[int] = field(default_factory=list)
    """Executions that were running and must not be lost."""


def elsewhere(cluster: WorkersCluster) -> float:
    """Seconds until a worker of which only its silence tells has lost its runs, and a chore."""
    return cluster.ttl + cluster.ttl / 4 + 0.5


def beyond(cluster: WorkersCluster) -> float:
    """Seconds that are longer than any sign of life is trusted."""
    return elsewhere(cluster) + 1.0


def busy(cluster: WorkersCluster, host: str = "boot-") -> tuple[WorkerNode, list[int]]:
    """A worker of that host and what it runs, as soon as one runs anything."""
    mine = [worker for worker in cluster.workers if host in worker.host.name]

    def found() -> tuple[WorkerNode, list[int]] | None:
        cluster.start_workers()  # db_worker ends when its database is away
        for worker in mine:
            if runs := cluster.running_on(worker.pids()):
                return worker, runs
        return None

    with suppress(AssertionError):
        pair: tuple[WorkerNode, list[int]] = cluster.wait_for(found, 10, "a worker to run a body")
        return pair
    return mine[0], []


def judged(cluster: WorkersCluster, runs: list[int], at: float, bound: float) -> Struck:
    """Wait until those of the runs that were struck have an outcome."""
    runs = [id for id in runs if cluster.still_running([id])]
    if not runs:
        return Struck(at)
    cluster.wait_for(lambda: not cluster.still_running(runs), JUDGED_WITHIN, "lost runs")
    return Struck(at, other=[("its runs are lost", now() - at, bound)])


def kill_same_host(cluster: WorkersCluster) -> Struck | None:
    worker, runs = busy(cluster, "boot-1")
    return judged(cluster, runs, worker.kill(), SAME_HOST)


def kill_other_host(cluster: WorkersCluster) -> Struck | None:
    worker, runs = busy(cluster, "boot-2")
    return judged(cluster, runs, worker.kill(), elsewhere(cluster))


def kill_child(cluster: WorkersCluster) -> Struck | None:
    """One of the processes of a pool; its parent replaces it."""
    worker, _ = busy(cluster, "boot-1")
    children = sorted(worker.pids() - {worker.pid})
    runs = {pid: cluster.running_on({pid}) for pid in children}
    struck = next((pid for pid in children if runs[pid]), None)
    if struck is None:
        return None
    at = now()
    with suppress(ProcessLookupError):
        os.kill(struck, signal.SIGKILL)
    return judged(cluster, runs[struck], at, SAME_HOST)


def kill_all(cluster: WorkersCluster) -> Struck | None:
    for worker in cluster.workers:
        worker.kill()
    return Struck(now())


def terminate(cluster: WorkersCluster) -> Struck | None:
    worker, _ = busy(cluster)
    at = now()
    worker.terminate()
    runs = cluster.running_on(worker.pids())
    worker.wait(60)
    return Struck(at, other=[("the worker has ended", now() - at, STOPPED)], spared=runs)


def freeze(cluster: WorkersCluster) -> Struck | None:
    worker, runs = busy(cluster)
    at = now()
    worker.freeze()
    struck = judged(cluster, runs, at, elsewhere(cluster))
    time.sleep(max(at + beyond(cluster) - now(), 0))
    worker.thaw()
    return struck


def freeze_briefly(cluster: WorkersCluster) -> Struck | None:
    worker, _ = busy(cluster)
    worker.freeze()
    time.sleep(BRIEF)
    worker.thaw()
    return Struck(now())


def freeze_all(cluster: WorkersCluster) -> Struck | None:
    """The machine sleeps: nobody can have died of it."""
    everyone = [*cluster.nodes, *cluster.workers]
    for node in everyone:
        node.freeze()
    time.sleep(beyond(cluster))
    for node in everyone:
        node.thaw()
    return Struck(now())


def wrong_clock(cluster: WorkersCluster) -> Struck | None:
    if not skew.is_possible():
        return None
    for worker, seconds in zip(cluster.workers, (3600, -3600), strict=False):
        worker.kill()
        worker.start(seconds)
    return Struck(now())


def kill_leader(cluster: WorkersCluster) -> Struck | None:
    return _of_leader(cluster, faults.kill_same_host)


def terminate_leader(cluster: WorkersCluster) -> Struck | None:
    return _of_leader(cluster, faults.terminate)


def freeze_leader(cluster: WorkersCluster) -> Struck | None:
    return _of_leader(cluster, faults.freeze)


def kill_leader_and_workers(cluster: WorkersCluster) -> Struck | None:
    kill_all(cluster)
    return _of_leader(cluster, faults.kill_same_host)


def _of_leader(cluster: WorkersCluster, strike: Callable) -> Struck | None:
    struck = strike(cluster)
    return struck and Struck(struck.at, takeover=struck.takeover)
