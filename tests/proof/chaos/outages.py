"""Faults of the network, of the database, and of users who hold its rows."""

from __future__ import annotations

import time

from .cluster import Cluster, held
from .faults import BRIEF, RECONNECT, Struck, beyond, leader_of
from .node import Node
from .proxy import Proxy
from .record import now
from .servers import Server


def cut(cluster: Cluster) -> Struck | None:
    _proxy(leader_of(cluster)).cut()
    return Struck(now(), service=RECONNECT)


def cut_all(cluster: Cluster) -> Struck | None:
    for node in cluster.nodes:
        _proxy(node).cut()
    return Struck(now(), service=RECONNECT)


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
    return Struck(now(), service=RECONNECT)


def crash_database(cluster: Cluster) -> Struck | None:
    _server(cluster).crash()
    _server(cluster).start()
    return Struck(now(), service=RECONNECT)


def database_away(cluster: Cluster) -> Struck | None:
    """An outage longer than the lease, with bodies running."""
    _server(cluster).stop()
    time.sleep(beyond(cluster))
    _server(cluster).start()
    return Struck(now(), service=RECONNECT)


def leave_and_come_without_database(cluster: Cluster) -> Struck | None:
    """The leader is told to stop, and another process starts, while nobody can be asked."""
    leader, standby = leader_of(cluster), cluster.standbys()[0]
    standby.kill()
    _server(cluster).stop()
    standby.start()
    leader.terminate()
    leader.wait(30)
    _server(cluster).start()
    return Struck(now())


def kill_without_database(cluster: Cluster) -> Struck | None:
    leader = leader_of(cluster)
    _server(cluster).stop()
    leader.kill()
    _server(cluster).start()
    return Struck(now())


def freeze_database(cluster: Cluster) -> Struck | None:
    _server(cluster).freeze()
    time.sleep(beyond(cluster))
    _server(cluster).thaw()
    return Struck(now(), service=RECONNECT)


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


def _proxy(node: Node) -> Proxy:
    assert node.proxy is not None
    return node.proxy


def _server(cluster: Cluster) -> Server:
    assert isinstance(cluster.server, Server)
    return cluster.server
