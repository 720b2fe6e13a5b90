"""This process among the others: its identity, its beat, and whether another one still lives."""

from __future__ import annotations

import os
import socket
import uuid
from dataclasses import asdict, dataclass, field
from pathlib import Path

from django.db.models import F

from ..conf import conf
from ..models import Node
from ..models.node import Role
from .clock import DbNow, monotonic
from .vitals import Vitals

BOOT_ID = "/proc/sys/kernel/random/boot_id"


@dataclass
class Self:
    """The row of this process. The id is random per start: never a host name, never a pid."""

    using: str
    id: uuid.UUID = field(default_factory=uuid.uuid4)
    vitals: Vitals = field(default_factory=Vitals)

    def beat(self, role: Role, wake_mode: str, error: str) -> None:
        """One sign of life. A row that somebody pruned is written again."""
        rows = Node._base_manager.using(self.using).filter(id=self.id)
        signs = {"beat_at": DbNow(), "role": role, "wake_mode": wake_mode, "error": error}
        signs |= asdict(self.vitals)
        if not rows.update(beat=F("beat") + 1, **signs):
            self._register()
            rows.update(**signs)

    def _register(self) -> None:
        Node._base_manager.using(self.using).update_or_create(
            id=self.id,
            defaults={
                "host": socket.gethostname(),
                "pid": os.getpid(),
                "pid_start": _start_of(os.getpid())[1],
                "boot_id": _read(BOOT_ID),
                "pid_ns": _pid_namespace(),
                "started_at": DbNow(),
                "beat_at": DbNow(),
                "ttl": conf().LEASE_TTL,
            },
        )


def is_gone(node: Node) -> bool:
    """Whether this host can prove that the node's process ended.

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
    still as well, and get time to give a sign of life.
    """

    def __init__(self) -> None:
        self._seen: dict[object, tuple[object, float, float]] = {}

    def silent_for(self, key: object, sign: object) -> float:
        """Seconds for which ``sign`` of ``key`` has not changed in our eyes."""
        now = monotonic()
        seen, looked, silent = self._seen.get(key, (None, now, 0.0))
        silent = silent + min(now - looked, conf().LEASE_TTL / 3) if seen == sign else 0.0
        self._seen[key] = (sign, now, silent)
        return silent

    def forget(self) -> None:
        self._seen.clear()


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
