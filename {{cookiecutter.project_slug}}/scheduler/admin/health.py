"""Is a scheduler alive, and which one: the first thing that the overview says."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from ..models import Lease, Node, Term
from ..models.node import Role

LAST_TERMS = 5


@dataclass(frozen=True)
class Process:
    """One scheduler process and how long ago it gave a sign of life."""

    node: Node
    age: timedelta
    leads: bool

    @property
    def alive(self) -> bool:
        return self.node.role != Role.STOPPED and self.age.total_seconds() <= self.node.ttl

    @property
    def role(self) -> str:
        if self.leads:
            return "leader"
        if not self.alive:
            return "stopped" if self.node.role == Role.STOPPED else "silent"
        return "standby" if self.node.role == Role.LEADER else self.node.get_role_display()


@dataclass(frozen=True)
class Health:
    lease: Lease
    processes: tuple[Process, ...]
    terms: tuple[Term, ...]
    now: datetime

    @property
    def leader(self) -> Process | None:
        return next((process for process in self.processes if process.leads), None)

    @property
    def held(self) -> bool:
        return bool(
            self.lease.holder and self.lease.expires_at and self.lease.expires_at > self.now
        )

    @property
    def alive(self) -> tuple[Process, ...]:
        return tuple(process for process in self.processes if process.alive)

    @property
    def standbys(self) -> int:
        return sum(process.role == "standby" for process in self.alive)

    @property
    def wake_mode(self) -> str:
        known = {"notify": "notification", "poll": "polling"}
        return known.get(self.leader.node.wake_mode, "") if self.leader else ""

    @property
    def lease_age(self) -> timedelta | None:
        if self.lease.renewed_at is None:
            return None
        return max(self.now - self.lease.renewed_at, timedelta())  # it may be renewed meanwhile

    @property
    def since(self) -> datetime | None:
        return self.lease.acquired_at

    @property
    def state(self) -> str:
        """``leading``, ``electing`` (somebody could lead and will in a moment) or ``dead``."""
        if self.held:
            return "leading"
        return "electing" if self.alive else "dead"


def read(using: str, now: datetime, silent_for: timedelta = timedelta(days=1)) -> Health:
    """As the rows say; processes silent for longer than ``silent_for`` are left out."""
    lease = Lease.objects.using(using).first() or Lease()
    held = bool(lease.expires_at and lease.expires_at > now)
    nodes = Node.objects.using(using).filter(beat_at__gte=now - silent_for).order_by("-beat_at")
    processes = [
        Process(node, max(now - node.beat_at, timedelta()), held and node.pk == lease.holder)
        for node in nodes[:20]
    ]
    processes.sort(key=lambda process: (not process.leads, not process.alive))
    terms = Term.objects.using(using).order_by("-term")[:LAST_TERMS]
    return Health(lease, tuple(processes), tuple(terms), now)
