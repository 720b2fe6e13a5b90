"""Errors by mail to ADMINS: at a limited rate, and never from the request that met the error."""

from __future__ import annotations

import atexit
import fcntl
import json
import logging
import os
import queue
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils.log import AdminEmailHandler

from .redaction import redacted

PERIOD = 3600.0
"""Seconds. In this time the same error is mailed once, ..."""
MAILS = 10
"""... and this many mails are sent in all, by all processes of this project on this machine."""
FLUSH_TIMEOUT = 5.0
"""Seconds that a process waits at its end for mails that are not sent yet."""

logger = logging.getLogger("config.error_mail")


class ErrorMail(AdminEmailHandler):
    """Django's handler with a limit, and with a thread that talks to the mail server."""

    def __init__(self, *args: Any, limit: Limit | None = None, **options: Any) -> None:
        super().__init__(*args, **options)
        self.limit = limit or Limit(shared_file(), time.time)
        self.outbox = Outbox(super().send_mail)
        self.left_out = 0

    def emit(self, record: logging.LogRecord) -> None:
        """Build the mail here, since it reads the request; it is sent elsewhere."""
        if not settings.ADMINS:
            return
        left_out = self.limit.admit(kind_of(record))
        if left_out is not None:
            self.left_out = left_out
            super().emit(record)

    def send_mail(self, subject: Any, message: Any, *args: Any, **options: Any) -> None:
        if self.left_out:
            message = (
                f"{self.left_out} more errors were not mailed since the last mail: at most {MAILS} "
                f"mails an hour, one for the same error. All are in the log.\n\n{message}"
            )
        options["fail_silently"] = False
        self.outbox.put(redacted(subject), redacted(message), options)


class Limit:
    """How many mails may be sent: a note in a file, which processes share and restarts keep.

    Where that file cannot be used, each process keeps to the limit by itself.

    Args:
        path: the file.
        clock: seconds since the epoch.
    """

    def __init__(self, path: Path, clock: Callable[[], float]) -> None:
        self.path = path
        self.clock = clock
        self._own: dict[str, Any] = {}

    def admit(self, kind: str) -> int | None:
        """Return how many errors were left out since the last mail; None leaves out this one."""
        now = self.clock()
        with self._note() as note:
            sent = note.get("sent", {})
            # A clock that was set back must not silence the mails until it catches up.
            sent = {kind: at for kind, at in sent.items() if now - PERIOD < at <= now}
            admitted = kind not in sent and len(sent) < MAILS
            left_out = note.get("left_out", 0)
            if admitted:
                sent[kind] = now
            note |= {"sent": sent, "left_out": 0 if admitted else left_out + 1}
        return left_out if admitted else None

    @contextmanager
    def _note(self) -> Iterator[dict[str, Any]]:
        try:
            # In a folder that all may write: not through a link that somebody else put there.
            flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
            file = os.fdopen(os.open(self.path, flags, 0o600), "r+")
        except OSError:
            yield self._own
            return
        with file:
            # Two processes meet errors at once: the second reads what the first has written.
            fcntl.flock(file, fcntl.LOCK_EX)
            note = read_note(file.read())
            yield note
            file.seek(0)
            file.truncate()
            file.write(json.dumps(note))


def read_note(text: str) -> dict[str, Any]:
    """Return what the file says; nothing if a full disk cut it short."""
    try:
        note = json.loads(text)
    except ValueError:
        return {}
    return note if isinstance(note, dict) else {}


def shared_file() -> Path:
    name = f"{settings.APSCHEDULER_NAME}-error-mails-{os.geteuid()}.json"
    return Path(tempfile.gettempdir()) / name


def kind_of(record: logging.LogRecord) -> str:
    """Return what errors of one origin have in common: the exception and its line, or the log's."""
    if record.exc_info and record.exc_info[0] is not None:
        trace = record.exc_info[2]
        while trace is not None and trace.tb_next is not None:
            trace = trace.tb_next
        place = f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace else ""
        return f"{record.exc_info[0].__name__} {place}"
    return f"{record.name} {record.msg}"


class Outbox:
    """Mails on their way. The thread begins with the first one: most processes never have it."""

    def __init__(self, send: Callable[..., None]) -> None:
        self._send = send
        self._queue: queue.Queue[tuple[str, str, dict[str, Any]]]
        self._pid = 0

    def put(self, subject: str, message: str, options: dict[str, Any]) -> None:
        if self._pid != os.getpid():
            # A fork has neither the thread nor, in the queue, anybody else to wake.
            self._pid = os.getpid()
            self._queue = queue.Queue(MAILS)
            threading.Thread(target=self._work, name="error mails", daemon=True).start()
            atexit.register(self.flush, FLUSH_TIMEOUT)
        try:
            self._queue.put_nowait((subject, message, options))
        except queue.Full:
            logger.warning("The mail server is too slow: no mail for %s", subject)

    def flush(self, timeout: float) -> None:
        """Wait until everything is sent, but at most ``timeout`` seconds."""
        if self._pid != os.getpid():
            return
        # By hand: Queue.join takes no timeout, and at exit Python 3.12 starts no thread for it.
        end = time.monotonic() + timeout
        with self._queue.all_tasks_done:
            while self._queue.unfinished_tasks and (left := end - time.monotonic()) > 0:
                self._queue.all_tasks_done.wait(left)

    def _work(self) -> None:
        while True:
            subject, message, options = self._queue.get()
            try:
                self._send(subject, message, **options)
            except Exception:  # the loop must live: the mail server may be back for the next one
                logger.warning("Error not mailed: %s", subject, exc_info=True)
            finally:
                self._queue.task_done()
