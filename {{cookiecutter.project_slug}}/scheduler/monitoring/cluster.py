"""Who leads, who stands by, who is draining, silent, or a worker: by the database's clock.

Health, metrics, the admin, the landing page and ``manage.py scheduler status`` all ask here.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from ..db.clock import db_now
from ..models import Lease, Node
from ..models.node import Role

SILENT_PROCESS_KEPT = timedelta(days=1)
"""A process that has been silent for longer is no longer listed."""


@dataclass(frozen=True)
class Process:
    """One scheduler or worker process that has not stopped in good order."""

    node: Node
    age: timedelta
    """Since its last heartbeat."""
    leads: bool

    @property
    def alive(self) -> bool:
        """Return whether it holds the lease, or sent a heartbeat within its own TTL."""
        return self.leads or self.age.total_seconds() <= self.node.ttl

    @property
    def role(self) -> str:
        """Return ``leader``, ``standby``, ``draining``, ``worker`` or ``silent``.

        The row says what the process last knew of itself. A dead leader's row says "leader" for
        ever, and that of a leader who lost the lease a moment ago does until its next heartbeat.
        """
        if self.leads:
            return "leader"
        if not self.alive:
            return "silent"
        if self.node.is_worker:
            return "worker"
        return "draining" if self.node.role == Role.DRAINING else "standby"


@dataclass(frozen=True)
class Cluster:
    """The lease and the processes at one moment."""

    now: datetime
    lease: Lease
    processes: tuple[Process, ...]
    """The leader first, then the living, then the silent; the last heartbeat first."""

    @property
    def led(self) -> bool:
        """Return whether an unexpired lease is held."""
        return _is_held(self.lease, self.now)

    @property
    def paused_at(self) -> datetime | None:
        """Return since when the cluster is paused; None if it is not."""
        return self.lease.paused_at

    @property
    def lease_remaining(self) -> float:
        """Return the seconds until the lease expires; negative since it expired."""
        expires_at = self.lease.expires_at
        return (expires_at - self.now).total_seconds() if expires_at else 0.0

    @property
    def lease_age(self) -> timedelta | None:
        """Return the time since the last renewal; None if there never was one."""
        if self.lease.renewed_at is None:
            return None
        return max(self.now - self.lease.renewed_at, timedelta())  # renewed while we read

    @property
    def leader(self) -> Process | None:
        return next((process for process in self.processes if process.leads), None)

    @property
    def alive(self) -> tuple[Process, ...]:
        """Return the schedulers that are alive; a worker never leads and is none of them."""
        return tuple(p for p in self.processes if p.alive and not p.node.is_worker)

    @property
    def worker_processes(self) -> tuple[Process, ...]:
        """Return the workers that are alive."""
        return self._in_role("worker")

    @property
    def living(self) -> tuple[Process, ...]:
        """Return all that are alive, the workers among them."""
        return tuple(process for process in self.processes if process.alive)

    @property
    def silent(self) -> tuple[Process, ...]:
        return tuple(process for process in self.processes if not process.alive)

    @property
    def workers(self) -> int:
        """Return how many runs the living processes can do at once."""
        return sum(process.node.workers or 0 for process in self.alive)

    @property
    def busy_workers(self) -> int:
        """Return how many runs they do now."""
        return sum(process.node.busy_workers or 0 for process in self.alive)

    @property
    def standbys(self) -> tuple[Process, ...]:
        return self._in_role("standby")

    @property
    def draining(self) -> tuple[Process, ...]:
        return self._in_role("draining")

    def _in_role(self, role: str) -> tuple[Process, ...]:
        return tuple(process for process in self.processes if process.role == role)


UNREADABLE = Cluster(datetime.fromtimestamp(0, UTC), Lease(), ())
"""Stands for a cluster whose tables could not be read."""


def read(using: str, now: datetime | None = None) -> Cluster:
    """Read the cluster's rows.

    Args:
        now: the database's time, if the caller has just read it.

    Raises:
        DatabaseError: the database cannot be reached, or its tables are missing.
    """
    now = now or db_now(using)
    lease = Lease.objects.using(using).first() or Lease()
    holder = lease.holder if _is_held(lease, now) else None
    nodes = Node.objects.using(using).exclude(role=Role.STOPPED)
    processes = [
        Process(node, max(now - node.beat_at, timedelta()), leads=node.pk == holder)
        for node in nodes.filter(beat_at__gte=now - SILENT_PROCESS_KEPT).order_by("-beat_at")
    ]
    processes.sort(key=lambda process: (not process.leads, not process.alive))
    return Cluster(now, lease, tuple(processes))


def _is_held(lease: Lease, now: datetime) -> bool:
    return lease.holder is not None and lease.expires_at is not None and lease.expires_at > now
