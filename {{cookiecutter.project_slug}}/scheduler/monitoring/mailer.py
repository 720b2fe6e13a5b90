"""Alerts to ``ADMINS``: gathered, at most one mail per interval, from a thread of its own."""

from __future__ import annotations

import logging
import os
import threading
from datetime import timedelta

from django.conf import settings
from django.core.mail import mail_admins
from django.db import connections
from django.db.utils import Error as DatabaseError

from ..conf import conf
from ..credentials import without_credentials
from ..db.clock import monotonic
from . import notices
from .digest import Alert, Digest

logger = logging.getLogger("scheduler.alerts")


class Throttle:
    """When this process may try to mail. The first alert waits for those that belong to it."""

    def __init__(self) -> None:
        self._gathering_since: float | None = None
        self._not_before = 0.0

    def gather(self, now: float) -> None:
        if self._gathering_since is None:
            self._gathering_since = now

    def wait(self, now: float) -> float | None:
        """Return the seconds until the gathered alerts are due; None if there are none."""
        if self._gathering_since is None:
            return None
        return max(self._gathering_since + conf().ALERT_DELAY, self._not_before) - now

    def postpone(self, now: float, seconds: float) -> None:
        """Try again in ``seconds``: another process has just mailed."""
        self._not_before = now + seconds

    def tried(self, now: float, sent: bool) -> None:
        """Note an attempt. What could not be sent is kept and tried again after the interval."""
        self._not_before = now + conf().ALERT_INTERVAL
        self._gathering_since = None if sent else now


class Mailer:
    """Its thread begins with the first alert, so that most processes never have one."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._digest = Digest()
        self._throttle = Throttle()
        self._thread: threading.Thread | None = None
        self._pid = 0
        self._flushing = False

    def put(self, alert: Alert) -> None:
        """Gather the alert; never wait for the mail server. Without ``ADMINS`` it is dropped."""
        if not settings.ADMINS:
            return
        with self._changed:
            self._digest.add(alert)
            self._wake()

    def send_leftovers(self) -> None:
        """Mail what a process that has ended left behind."""
        if settings.ADMINS:
            with self._changed:
                self._wake()

    def flush(self, timeout: float) -> None:
        """Send at once, or leave it for the next mail; wait at most ``timeout`` seconds."""
        with self._changed:
            if self._thread is None:
                return
            self._flushing = True
            self._changed.notify()
            thread = self._thread
        thread.join(timeout)
        if thread.is_alive():
            logger.error("The last alerts could not be mailed within %g s", timeout)

    def _wake(self) -> None:
        self._throttle.gather(monotonic())
        if self._thread is None or self._pid != os.getpid():  # a fork has no threads
            self._pid = os.getpid()
            self._thread = threading.Thread(target=self._work, name="alerts", daemon=True)
            self._thread.start()
        self._changed.notify()

    def _work(self) -> None:
        while True:
            with self._changed:
                wait = self._throttle.wait(monotonic())
                if not self._flushing and (wait is None or wait > 0):
                    self._changed.wait(wait)
                    continue
                flushing = self._flushing
                digest, self._digest = self._digest, Digest()
            seconds = 0.0 if wait is None else _mail_in_turn(digest, flushing)
            with self._changed:
                digest.merge(self._digest)  # what came meanwhile
                self._digest = digest
                if seconds > 0:
                    self._throttle.postpone(monotonic(), seconds)
                else:
                    self._throttle.tried(monotonic(), sent=not digest)
                if flushing:
                    return


def _mail_in_turn(digest: Digest, flushing: bool) -> float:
    """Mail the digest, and empty it, if it is this process's turn.

    A process that is ending leaves it for the next mail of any process instead of waiting: else
    one that is restarted again and again would mail at each end.

    Returns:
        Seconds until the next turn; 0 if it was taken, whether or not the mail could be sent.
    """
    try:
        seconds, left = notices.take_mail_turn(timedelta(seconds=conf().ALERT_INTERVAL))
        if seconds > 0 and flushing and digest:
            notices.leave_for_next_mail(digest)
            digest.clear()
    except DatabaseError as error:  # which may be what the alert is about
        logger.warning("The limit of mails is kept by each process alone: %s", error)
        seconds, left = 0.0, Digest()
    finally:
        connections[conf().DATABASE].close()
    if seconds > 0:
        return seconds
    left.merge(digest)
    if left and not _send(left):
        digest.groups = left.groups
    else:
        digest.clear()
    return 0.0


def _send(digest: Digest) -> bool:
    try:
        mail_admins(*map(without_credentials, (digest.subject(), digest.body())))
    except Exception:
        logger.exception("Alert not mailed, trying again later: %s", digest.subject())
        return False
    return True
