"""Faults of the broker, of its messages, of the database, and of the ways to them."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import pairwise

from tests.proof.chaos import bodies
from tests.proof.chaos import faults as chaos_faults
from tests.proof.chaos.proxy import Proxy
from tests.proof.chaos.record import now
from tests.proof.chaos.servers import Server

from .cluster import LOCAL, WorkersCluster
from .faults import BRIEF, Struck, beyond, busy, elsewhere, judged

BACK = 30.0
"""Seconds from the return of the broker until publishing goes on."""
AWAY = 10.0
MESSAGES = 20


def worker_loses_database(cluster: WorkersCluster) -> Struck | None:
    worker, _ = busy(cluster)
    _database(worker).cut()
    return Struck(now())


def worker_waits_for_database(cluster: WorkersCluster) -> Struck | None:
    """Nothing passes for so long that its runs are judged; then all of it passes."""
    worker, runs = busy(cluster)
    at = now()
    _database(worker).stall()
    struck = judged(cluster, runs, at, elsewhere(cluster))
    time.sleep(max(at + beyond(cluster) - now(), 0))
    _database(worker).resume()
    return struck


def leader_loses_database(cluster: WorkersCluster) -> Struck | None:
    _database(chaos_faults.leader_of(cluster)).cut()
    return Struck(now())


def cut_late(cluster: WorkersCluster) -> Struck | None:
    """The statements of a leader and a worker arrive, and their replies do not."""
    worker, _ = busy(cluster)
    _database(worker).cut_late()
    _database(chaos_faults.leader_of(cluster)).cut_late()
    return Struck(now())


def cut_all(cluster: WorkersCluster) -> Struck | None:
    for node in [*cluster.nodes, *cluster.workers]:
        _database(node).cut()
    return Struck(now())


def restart_database(cluster: WorkersCluster) -> Struck | None:
    server = _server(cluster)
    server.stop()
    server.start()
    return Struck(now())


def kill_database(cluster: WorkersCluster) -> Struck | None:
    server = _server(cluster)
    server.crash()
    server.start()
    return Struck(now())


def database_away(cluster: WorkersCluster) -> Struck | None:
    """For longer than any sign of life is trusted: nobody can have died of it."""
    server = _server(cluster)
    server.stop()
    time.sleep(beyond(cluster))
    server.start()
    return Struck(now())


def restart_broker(cluster: WorkersCluster) -> Struck | None:
    broker = _broker(cluster)
    with messages(cluster) as dropped:
        broker.stop()
        broker.start()
    return Struck(now(), BACK, dropped=dropped)


def kill_broker(cluster: WorkersCluster) -> Struck | None:
    broker = _broker(cluster)
    with messages(cluster) as dropped:
        broker.crash()
        broker.start()
    return Struck(now(), BACK, dropped=dropped)


def broker_away(cluster: WorkersCluster) -> Struck | None:
    broker, began = _broker(cluster), now()
    broker.stop()
    time.sleep(AWAY)
    broker.start()
    return _meanwhile(cluster, began, Struck(now(), BACK))


def freeze_broker(cluster: WorkersCluster) -> Struck | None:
    """It accepts connections, and says nothing."""
    broker, began = _broker(cluster), now()
    broker.freeze()
    time.sleep(AWAY)
    broker.thaw()
    return _meanwhile(cluster, began, Struck(now(), BACK))


def kill_broker_and_leader(cluster: WorkersCluster) -> Struck | None:
    broker, leader = _broker(cluster), chaos_faults.leader_of(cluster)
    broker.crash()
    leader.kill()
    broker.start()
    return Struck(now(), BACK)


def cut_broker(cluster: WorkersCluster) -> Struck | None:
    for proxy in cluster.to_broker.values():
        proxy.cut()
    return Struck(now(), BACK)


def worker_loses_broker(cluster: WorkersCluster) -> Struck | None:
    """The broker still believes in the old connection when the worker opens another one."""
    worker, _ = busy(cluster)
    proxy = cluster.to_broker[worker.name]
    proxy.stall()
    time.sleep(BRIEF)
    proxy.cut_late()
    return Struck(now(), BACK)


def purge(cluster: WorkersCluster) -> Struck | None:
    with messages(cluster) as dropped:
        cluster.engine.purge()
    return Struck(now(), dropped=dropped)


def duplicate(cluster: WorkersCluster) -> Struck | None:
    """Every message three times, and those of old publications and of what has ended as well."""
    with messages(cluster):
        unclaimed = cluster.unclaimed()
        old = [(id, number - 1) for id, number in unclaimed] + _ended()
        again = [*unclaimed, *old, *unclaimed]
        random.Random(len(again)).shuffle(again)
        cluster.engine.send(again)
    return Struck(now())


@contextmanager
def messages(cluster: WorkersCluster) -> Iterator[list[int]]:
    """See to it that messages wait, by workers that stand still meanwhile.

    Yields the executions that they are about.
    """
    from scheduler import scheduler

    for worker in cluster.workers:
        worker.freeze()
    try:
        due = datetime.now(UTC)
        for number in range(MESSAGES):
            id = f"once-{due:%H%M%S%f}-{number}"
            scheduler.add_job(
                bodies.once, "date", run_date=due, args=[number], id=id, executor="workers"
            )
            cluster.one_shots[id] = due
        cluster.wait_for(lambda: len(cluster.unclaimed()) >= MESSAGES, 20, "messages")
        time.sleep(0.5)  # a commit comes before its message
        yield [id for id, _ in cluster.unclaimed()]
    finally:
        for worker in cluster.workers:
            worker.thaw()


def _ended() -> list[tuple[int, int]]:
    from scheduler.models import Execution

    rows = Execution.objects.filter(publication__gt=0, status="succeeded").order_by("-id")
    return list(rows.values_list("id", "publication")[:30])


def _meanwhile(cluster: WorkersCluster, began: float, struck: Struck) -> Struck:
    """Measure the longest gap of what the leader runs itself."""
    starts = [
        line.at for line in cluster.record.lines()
        if line.event == "start" and line.job == LOCAL and began - 1 <= line.at <= struck.at
    ]  # fmt: skip
    moments = [began, *starts, struck.at]
    gap = max(b - a for a, b in pairwise(moments))
    struck.other.append(("longest gap of a local job", gap, None))
    return struck


def _database(node: object) -> Proxy:
    proxy: Proxy = node.proxy  # type: ignore[attr-defined]
    return proxy


def _server(cluster: WorkersCluster) -> Server:
    assert isinstance(cluster.server, Server)
    return cluster.server


def _broker(cluster: WorkersCluster) -> Server:
    assert cluster.engine.broker is not None
    return cluster.engine.broker


Strike = Callable[[WorkersCluster], Struck | None]
