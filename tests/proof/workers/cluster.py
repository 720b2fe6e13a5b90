"""Two schedulers and several workers, each with its own way to the database and to the broker."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from django.db.utils import Error as DatabaseError
from django.db.utils import InterfaceError

from tests.proof.chaos.cluster import Cluster, forget_connection
from tests.proof.chaos.node import Node
from tests.proof.chaos.proxy import Proxy
from tests.proof.chaos.servers import Server, tree
from tests.settings import ROOT, TEMPLATE

from .engines import Engine

LOCAL = "local"
"""The job that the schedulers run themselves, whatever becomes of workers and broker."""


class WorkerNode(Node):
    """A worker: perhaps one process, perhaps a parent and its children."""

    engine: Engine

    def program(self) -> list[str]:
        return self.engine.program(self.name)

    def pids(self) -> set[int]:
        """Of all its processes."""
        return set(tree(self.pid))

    def send_signal(self, number: int) -> None:
        """To all of them: a host that stands still, or loses its power."""
        for pid in self.pids():
            with suppress(ProcessLookupError):
                os.kill(pid, number)

    def freeze(self) -> None:
        self.frozen = True
        self.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self.frozen = False
        self.send_signal(signal.SIGCONT)


class WorkersCluster(Cluster):
    """Both schedulers on one host; the workers on that host and on another one."""

    def __init__(self, server: Server, engine: Engine, folder: Path, ttl: float) -> None:
        super().__init__(server, folder, ttl, hosts=(1, 1))
        self.engine = engine
        self.workers = [
            self.add(WorkerNode, f"worker{number}", 1 + number % 2)
            for number in range(engine.workers)
        ]
        self.one_shots: dict[str, datetime] = {}
        """Jobs that faults added, and when they were due."""
        self.to_broker: dict[str, Proxy] = {}
        """By name of a node: its way to the broker, where there is one."""
        for node in [*self.nodes, *self.workers]:
            path = os.pathsep.join([str(ROOT), str(TEMPLATE)])  # Celery imports its app first
            node.variables = {"REMAP_SIGTERM": "SIGQUIT", "PYTHONPATH": path}
            if engine.broker is not None:
                proxy = self.to_broker[node.name] = Proxy(self.loop, engine.broker.port)
                node.variables["CHAOS_BROKER_URL"] = engine.broker.url(proxy.port)
        for worker in self.workers:
            worker.engine = engine

    def start_workers(self) -> None:
        """Start those that have ended."""
        for worker in self.workers:
            if not worker.alive:
                worker.start()

    def start_missing(self) -> list[Node]:
        self.start_workers()
        return super().start_missing()

    def wait_for_starts(self, after: float, limit: float, why: str, term: int = 0) -> float:
        """As of the schedulers; only what a worker ran counts."""
        return self.wait_for(
            lambda: self.first_start(after, lambda job: job != LOCAL),
            limit,
            f"a worker to start a body after {why}",
        )

    def first_start(self, after: float, of: Callable[[str], bool]) -> float | None:
        """Seconds from ``after`` to the first start of such a job; None: there was none yet."""
        fresh = [
            line.at - after
            for line in self.record.lines()[-5000:]
            if line.event == "start" and line.at > after and of(line.job)
        ]
        return min(fresh, default=None)

    def running_on(self, pids: set[int]) -> list[int]:
        """Executions that these processes of workers have claimed and not ended."""
        from scheduler.models import Execution
        from scheduler.models import Node as Row

        with suppress(DatabaseError, InterfaceError):
            nodes = list(Row._base_manager.filter(role="worker", pid__in=pids).values_list("id"))
            rows = Execution.objects.filter(status="running", node_id__in=[id for (id,) in nodes])
            return list(rows.values_list("id", flat=True))
        forget_connection()
        return []

    def still_running(self, executions: list[int]) -> bool:
        from scheduler.models import Execution

        with suppress(DatabaseError, InterfaceError):
            return Execution.objects.filter(id__in=executions, status="running").exists()
        forget_connection()
        return True

    def unclaimed(self) -> list[tuple[int, int]]:
        """What is published, with the number of its publication."""
        from scheduler.models import Execution

        rows = Execution.objects.filter(status="queued", published_at__isnull=False)
        return list(rows.values_list("id", "publication"))

    def stop(self) -> None:
        for worker in self.workers:
            if worker.alive:
                worker.thaw()
                worker.terminate()
        for worker in self.workers:
            if worker.alive:
                worker.wait(40)
        super().stop()

    def destroy(self) -> None:
        for worker in self.workers:
            if worker.alive:
                worker.thaw()
                worker.send_signal(signal.SIGKILL)
                with suppress(subprocess.TimeoutExpired):
                    worker.wait(10)
        if self.engine.broker is not None:
            self.engine.broker.end()
        super().destroy()
