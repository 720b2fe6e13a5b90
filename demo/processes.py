"""The processes of a Procfile, started and stopped together."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TextIO

PATIENCE = 30.0  # seconds from SIGTERM to SIGKILL; a scheduler drains for up to 25


def heed_signals() -> None:
    """Make Ctrl-C and SIGTERM unwind the `with` blocks, also in a background job of a shell."""
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, signal.default_int_handler)


def read_procfile(path: Path) -> dict[str, str]:
    """Process name -> command line."""
    lines = re.findall(r"^(\w+):\s*(.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return dict(lines)


class Processes:
    """Children that die with their parent's `with` block; each line they print gets their name."""

    def __init__(self, project: Path, env: Mapping[str, str], output: TextIO) -> None:
        self.project, self.env, self.output = project, dict(env), output
        self.running: dict[str, subprocess.Popen[str]] = {}

    def start(self, name: str, command: str) -> None:
        # In a session of its own, so that Ctrl-C reaches the parent alone, which then stops it.
        child = subprocess.Popen(
            ["sh", "-c", command],
            cwd=self.project,
            env=self.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self.running[name] = child
        threading.Thread(target=self._copy_output, args=[name, child], daemon=True).start()

    def kill(self, name: str) -> None:
        """End the process and its children at once, as the kernel or a power cut would."""
        child = self.running.pop(name)
        os.killpg(child.pid, signal.SIGKILL)
        child.wait()

    def ended(self) -> str | None:
        """Return the name of a process that ended by itself, if one did."""
        return next(
            (name for name, child in self.running.items() if child.poll() is not None), None
        )

    def stop(self) -> None:
        for child in self.running.values():
            child.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + PATIENCE
        for child in self.running.values():
            try:
                child.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                os.killpg(child.pid, signal.SIGKILL)
                child.wait()
        self.running.clear()

    def __enter__(self) -> Processes:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _copy_output(self, name: str, child: subprocess.Popen[str]) -> None:
        assert child.stdout is not None
        for line in child.stdout:
            print(f"{name:<11}| {line}", end="", file=self.output, flush=True)
