"""``runapscheduler --reload``: a new process for new code, as ``runserver`` starts one.

Two processes: a parent that starts the scheduler again and again, and the scheduler itself, which
watches its files. Unlike Django's own parent this one kills nothing: the scheduler hands over and
lets its jobs end first.
"""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.apps import apps
from django.utils import autoreload

logger = logging.getLogger("scheduler.reload")

RELOAD = 3
"""The exit code that asks the parent for a new process, as in Django."""


def is_child() -> bool:
    """Return whether this process was started by ``restart_on_change``."""
    return os.environ.get(autoreload.DJANGO_AUTORELOAD_ENV) == "true"


def restart_on_change() -> int:
    """Run this command in a child until it ends by itself; return its exit code.

    A child that ends with an error, such as a module that cannot be imported, is started again
    when a file changes.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal sends these to the child as well
    signal.signal(signal.SIGQUIT, signal.SIG_IGN)
    child: subprocess.Popen[bytes] | None = None
    stopping = threading.Event()

    def forward(*_: Any) -> None:
        stopping.set()
        if child is not None and child.poll() is None:
            child.send_signal(signal.SIGTERM)

    signal.signal(signal.SIGTERM, forward)
    environment = {**os.environ, autoreload.DJANGO_AUTORELOAD_ENV: "true"}
    while True:
        # Looked at before the child imports anything: what is mended while it fails is a change.
        changes = Changes()
        command = autoreload.get_child_arguments()
        child = subprocess.Popen(command, env=environment)  # noqa: S603  (this command again)
        if stopping.is_set():  # before there was a child to send it to
            forward()
        code = child.wait()
        if stopping.is_set() or code <= 0:
            return max(code, 0)
        if code != RELOAD:
            logger.error("The scheduler ended with exit code %s; waiting for a change", code)
            if not changes.wait(stopping):
                return code


class Changes(autoreload.StatReloader):
    """The files of imported modules, and every Python file of the project's own apps."""

    def __init__(self) -> None:
        super().__init__()
        self._begun = time.time()
        self._before = self._files()

    def wait(self, stopping: threading.Event) -> bool:
        """Return True when a file has changed, False when ``stopping`` is set first."""
        while not stopping.wait(self.SLEEP_TIME):
            now = self._files()
            # A file that is merely imported later is older than this object.
            if any(now.get(path) != at for path, at in self._before.items()) or any(
                at > self._begun for path, at in now.items() if path not in self._before
            ):
                return True
        return False

    def call(self, changed: Callable[[], None]) -> None:
        """Call ``changed`` once, from a thread of its own, when a file has changed."""

        def watch() -> None:
            if self.wait(threading.Event()):
                logger.info("Code has changed, restarting")
                changed()

        threading.Thread(target=watch, daemon=True).start()

    def _files(self) -> dict[Path, float]:
        """Return paths and times; a module that could not be imported is in its app's folder."""
        for config in apps.get_app_configs():
            if "site-packages" not in config.path:
                self.watch_dir(Path(config.path), "**/*.py")
        return dict(self.snapshot_files())
