"""One scheduler process under chaos."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from tests.settings import ROOT

from .proxy import Proxy
from .record import now


class Node:
    """``manage.py runapscheduler`` with its own way to the database and its own idea of a host."""

    def __init__(
        self, name: str, host: Path, url: str, folder: Path, proxy: Proxy | None, ttl: float
    ) -> None:
        self.name, self.host, self.proxy = name, host, proxy
        self._url, self._folder, self._ttl = url, folder, ttl
        self._process: subprocess.Popen[bytes] | None = None
        self.skew = 0
        self.frozen = False
        self.variables: dict[str, str] = {}
        """Of its environment, beside those that all have."""

    def program(self) -> list[str]:
        """The module that it runs, with its arguments."""
        plain = os.environ.get("CHAOS_PLAIN")
        return ["tests.proof.chaos.plain"] if plain else ["django", "runapscheduler"]

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self, skew: int = 0) -> None:
        """Start it, with a wall clock that is ``skew`` seconds wrong."""
        self.skew, self.frozen = skew, False
        environment = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "TEST_DATABASE_URL": self._url,
            "CHAOS_RECORD": str(self._folder / "record"),
            "CHAOS_BOOT_ID_FILE": str(self.host),
            "CHAOS_TTL": str(self._ttl),
            **self.variables,
        }
        if skew:
            environment["CHAOS_SKEW"] = str(skew)
        log = (self._folder / f"{self.name}.log").open("ab")
        self._process = subprocess.Popen(
            [sys.executable, "-m", *self.program()],
            env=environment,
            stdout=log,
            stderr=log,
            cwd=ROOT,
        )
        log.close()

    def freeze(self) -> None:
        self.frozen = True
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self.frozen = False
        self._signal(signal.SIGCONT)

    def terminate(self) -> None:
        """Ask it to hand over, drain and end; does not wait."""
        self._signal(signal.SIGTERM)

    def kill(self) -> float:
        """SIGKILL, and reap it.

        Returns:
            When, on the monotonic clock: a standby may have taken over before it is reaped.
        """
        at = now()
        self._signal(signal.SIGKILL)
        self.wait(10)
        return at

    def wait(self, seconds: float) -> int:
        """Its exit status.

        Raises:
            subprocess.TimeoutExpired: it did not end.
        """
        assert self._process is not None
        return self._process.wait(seconds)

    def workers(self) -> list[int]:
        """Pids of its worker processes."""
        with suppress(OSError):
            text = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text()
            return [int(pid) for pid in text.split()]
        return []

    def _signal(self, number: int) -> None:
        assert self._process is not None
        with suppress(ProcessLookupError):
            self._process.send_signal(number)
