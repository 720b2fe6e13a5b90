"""Identify this process among the others, and tell whether another one still lives."""

from __future__ import annotations

import os
import socket
import uuid
from dataclasses import asdict, dataclass, field
from pathlib import Path

from django.db.models import F

from ... import codeversion
from ...conf import conf
from ...credentials import without_credentials
from ...db.clock import DbNow, monotonic
from ...models import Node
from ...models.node import Role

BOOT_ID = "/proc/sys/kernel/random/boot_id"


@dataclass
class ProcessMetrics:
    """What the loop measures of itself, each named as its column of ``Node``.

    None: there was nothing to measure.
    """

    renew_seconds: float | None = None
    """Duration of the statement that last renewed the lease. Of the leader only."""
    loop_lag_seconds: float | None = None
    """By how much the last heartbeat came later than it was meant to."""
    wake_latency_seconds: float | None = None
    """From the last self-test's NOTIFY until the loop had heard it. Not where it polls."""
    workers: int | None = None
    """How many runs its executors can do at once."""
    busy_workers: int | None = None
    """How many they do."""
    publish_error: str = ""
    """Why nothing can be published to the workers; empty while all is well."""


@dataclass
class Self:
    """The row of this process. The id is random per start: never a host name, never a pid."""

    using: str
    id: uuid.UUID = field(default_factory=uuid.uuid4)
    host: str = field(default_factory=socket.gethostname)
    pid: int = field(default_factory=os.getpid)
    ttl: float = field(default_factory=lambda: conf().LEASE_TTL)
    """Seconds of silence after which the others take it for dead."""
    metrics: ProcessMetrics = field(default_factory=ProcessMetrics)
    _beats: int = 0
    """Heartbeats that the database has confirmed."""

    def beat(self, role: Role, wake_mode: str, error: str) -> bool:
        """Write one heartbeat. A row that somebody pruned is written again.

        Returns:
            Whether the tables are those that this process knows. False: a backup was restored
            under it, and they tell of an earlier time.
        """
        rows = Node._base_manager.using(self.using).filter(id=self.id)
        signs = {
            "beat_at": DbNow(),
            "role": role,
            "wake_mode": wake_mode,
            "error": without_credentials(error),
        }
        signs |= asdict(self.metrics)
        # At least: of a heartbeat whose reply was lost, only the database knows.
        if rows.filter(beat__gte=self._beats).update(beat=F("beat") + 1, **signs):
            self._beats += 1
            return True
        is_restored = rows.exists()
        self._register()
        rows.update(**signs)
        return not is_restored

    def _register(self) -> None:
        Node._base_manager.using(self.using).update_or_create(
            id=self.id,
            defaults={
                "beat": self._beats,
                "host": self.host,
                "pid": self.pid,
                "pid_start": _start_of(self.pid)[1],
                "boot_id": _read(BOOT_ID),
                "pid_ns": _pid_namespace(),
                "started_at": DbNow(),
                "beat_at": DbNow(),
                "ttl": self.ttl,
                "code": codeversion.digest(),
            },
        )


def is_gone(node: Node) -> bool:
    """Return whether this host can prove that the node's process ended.

    Only in the same boot and the same PID namespace does a pid mean the same process. A missing
    ``/proc`` entry alone proves nothing: ``ProtectProc=`` and ``hidepid=`` hide living ones.
    """
    if not node.pid_start or node.boot_id != _read(BOOT_ID) or node.pid_ns != _pid_namespace():
        return False
    try:
        os.kill(node.pid, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        pass
    state, start = _start_of(node.pid)
    return state in {"Z", "X"} or (start != "" and start != node.pid_start)


class Observer:
    """Judges silence: dead is what was *read unchanged* for its TTL on our own monotonic clock.

    A clock that was set, or an outage of the database during which nobody could write, kills
    nobody: call ``forget()`` after an outage. A pause between two looks, in which we or the
    database stood still, counts for no more than a third of the lease: the others may have stood
    still as well, and get time to send a heartbeat.
    """

    def __init__(self) -> None:
        self._seen: dict[object, tuple[object, float, float]] = {}
        self._changed: set[object] = set()

    def silent_for(self, key: object, sign: object) -> float:
        """Return the seconds for which this observer has seen ``sign`` of ``key`` unchanged."""
        now = monotonic()
        seen, looked, silent = self._seen.get(key, (None, now, 0.0))
        if key in self._seen and seen != sign:
            self._changed.add(key)
        silent = silent + min(now - looked, conf().LEASE_TTL / 3) if seen == sign else 0.0
        self._seen[key] = (sign, now, silent)
        return silent

    def has_heard(self, key: object) -> bool:
        """Return whether the sign of ``key`` has changed since this observer began to look."""
        return key in self._changed

    def forget(self) -> None:
        """Begin anew, as after an outage."""
        self._seen.clear()
        self._changed.clear()


def _read(path: str) -> str:
    try:
        return Path(path).read_text().strip()
    except OSError:
        return ""


def _start_of(pid: int) -> tuple[str, str]:
    """State letter and start time (clock ticks since boot) of a process: ``proc(5)``."""
    fields = _read(f"/proc/{pid}/stat").rpartition(")")[2].split()
    return (fields[0], fields[19]) if len(fields) > 19 else ("", "")


def _pid_namespace() -> str:
    try:
        return os.readlink("/proc/self/ns/pid")
    except OSError:
        return ""
