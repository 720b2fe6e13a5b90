"""The scheduler processes of one chaos run, the database they share, and a look from outside."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

from django.db import connection
from django.db.utils import Error as DatabaseError
from django.db.utils import InterfaceError

from .node import Node
from .proxy import Loop, Proxy
from .record import Record, now
from .servers import Server, SQLite

LOOK_EVERY = 0.02
REGISTERS_WITHIN = 120.0
"""Seconds; a machine that does other things as well takes many to start a process."""
AnyNode = TypeVar("AnyNode", bound=Node)


class Silent(AssertionError):
    """Nobody ran anything for far too long: the schedulers did not recover."""


class Cluster:
    """Schedulers on several hosts."""

    def __init__(
        self, server: Server | SQLite, folder: Path, ttl: float, hosts: Sequence[int] = (1, 1, 2)
    ) -> None:
        self.server, self.folder, self.ttl = server, folder, ttl
        self.record = Record(folder / "record")
        self.loop = Loop()
        self.nodes = [self.add(Node, name, host) for name, host in zip("abc", hosts, strict=False)]

    def add(self, kind: type[AnyNode], name: str, host: int) -> AnyNode:
        """Make a node with a way of its own to the database."""
        boot = self.folder / f"boot-{host}"
        boot.write_text(f"{boot.name} of {self.folder}\n")
        proxy = Proxy(self.loop, self.server.port) if isinstance(self.server, Server) else None
        url = self.server.url(proxy.port if proxy else 0)
        return kind(name, boot, url, self.folder, proxy, self.ttl)

    def leader(self) -> Node | None:
        """Who leads, by the lease's row; None if nobody does or the database cannot be asked."""
        from scheduler.models import Lease
        from scheduler.models import Node as Row

        with suppress(DatabaseError, InterfaceError):
            holder = Lease._base_manager.values_list("holder", flat=True).first()
            pid = holder and Row._base_manager.filter(id=holder).values_list("pid", flat=True)[0]
            return next((node for node in self.nodes if node.alive and node.pid == pid), None)
        forget_connection()
        return None

    def standbys(self) -> list[Node]:
        leader = self.leader()
        return [n for n in self.nodes if n.alive and not n.frozen and n is not leader]

    def start_missing(self) -> list[Node]:
        """Start every node that ended, and wait until it has registered."""
        missing = [node for node in self.nodes if not node.alive]
        for node in missing:
            node.start()
        self.wait_until_registered(missing)
        return missing

    def wait_until_registered(self, nodes: list[Node]) -> None:
        from scheduler.models import Node as Row

        def registered() -> bool:
            with suppress(DatabaseError, InterfaceError):
                rows = Row._base_manager.exclude(role="stopped").filter(beat__gt=1)
                pids = set(rows.values_list("pid", flat=True))
                return all(node.pid in pids for node in nodes)
            forget_connection()
            return False

        self.wait_for(
            registered, REGISTERS_WITHIN, f"{', '.join(n.name for n in nodes)} to register"
        )

    def wait_for_starts(self, after: float, limit: float, why: str, term: int = 0) -> float:
        """Wait until bodies start again.

        Returns:
            Seconds from ``after`` to the first start of at least ``term``.
        """

        def first() -> float | None:
            fresh = (
                line.at - after
                for line in reversed(self.record.lines()[-400:])
                if line.event == "start" and line.at > after and line.term >= term
            )
            return min(fresh, default=None)

        return self.wait_for(first, limit, f"a body to start after {why}")

    def wait_for(self, done: Callable[[], Any], limit: float, what: str) -> Any:
        """Look until ``done`` gives something.

        Raises:
            Silent: it did not within ``limit`` seconds.
        """
        end = now() + limit
        while not (found := done()):
            if now() > end:
                raise Silent(f"waited {limit:g} s in vain for {what}")
            time.sleep(LOOK_EVERY)
        return found

    def stop(self) -> None:
        """SIGTERM for all; each must end by itself."""
        for node in self.nodes:
            if node.alive:
                node.thaw()
                node.terminate()
        for node in self.nodes:
            if node.alive:
                node.wait(30)

    def destroy(self) -> None:
        for node in self.nodes:
            if node.alive:
                node.kill()
        forget_connection()
        self.server.end()


@contextmanager
def held(sql: str) -> Iterator[None]:
    """Hold the locks that ``sql`` takes, in a transaction of somebody else."""
    connection.ensure_connection()
    begin = "BEGIN IMMEDIATE" if connection.vendor == "sqlite" else "BEGIN"
    with connection.cursor() as cursor:
        cursor.execute(begin)
        try:
            cursor.execute(sql)
            yield
        finally:
            with suppress(DatabaseError, InterfaceError):
                cursor.execute("ROLLBACK")


def forget_connection() -> None:
    with suppress(Exception):
        connection.close()
    connection.connection = None
