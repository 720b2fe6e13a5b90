"""Alerts to ``ADMINS``: gathered, at most one mail in an interval, from a thread of its own."""

from __future__ import annotations

import logging
import os
import threading

from django.conf import settings
from django.core.mail import mail_admins

from .alert_digest import Alert, Digest
from .conf import conf
from .engine.clock import monotonic

logger = logging.getLogger("scheduler.alerts")


class Pace:
    """When the next mail is due. The first waits for what belongs to it, the next for its turn."""

    def __init__(self) -> None:
        self._gathering_since: float | None = None
        self._not_before = 0.0

    def gather(self, now: float) -> None:
        if self._gathering_since is None:
            self._gathering_since = now

    def wait(self, now: float) -> float | None:
        """Seconds until the gathered alerts are due; None: there are none."""
        if self._gathering_since is None:
            return None
        return max(self._gathering_since + conf().ALERT_DELAY, self._not_before) - now

    def tried(self, now: float, sent: bool) -> None:
        """What could not be sent is kept, and tried again after the interval."""
        self._not_before = now + conf().ALERT_INTERVAL
        self._gathering_since = None if sent else now


class Mailer:
    """Its thread begins with the first alert, so that most processes never have one."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._digest = Digest()
        self._pace = Pace()
        self._thread: threading.Thread | None = None
        self._pid = 0
        self._flushing = False

    def put(self, alert: Alert) -> None:
        """Never waits for the mail server. Without ``ADMINS`` there is nobody to tell."""
        if not settings.ADMINS:
            return
        with self._changed:
            self._digest.add(alert)
            self._pace.gather(monotonic())
            if self._thread is None or self._pid != os.getpid():  # a fork has no threads
                self._pid = os.getpid()
                self._thread = threading.Thread(target=self._work, name="alerts", daemon=True)
                self._thread.start()
            self._changed.notify()

    def flush(self, timeout: float) -> None:
        """Send at once, whatever the pace, and wait for it at most ``timeout`` seconds."""
        with self._changed:
            if self._thread is None:
                return
            self._flushing = True
            self._changed.notify()
            thread = self._thread
        thread.join(timeout)
        if thread.is_alive():
            logger.error("The last alerts could not be mailed within %g s", timeout)

    def _work(self) -> None:
        while True:
            with self._changed:
                wait = self._pace.wait(monotonic())
                if not self._flushing and (wait is None or wait > 0):
                    self._changed.wait(wait)
                    continue
                digest, self._digest = self._digest, Digest()
            sent = not digest or _send(digest)
            with self._changed:
                if not sent:
                    self._keep(digest)
                self._pace.tried(monotonic(), sent and not self._digest)
                if self._flushing:
                    return

    def _keep(self, digest: Digest) -> None:
        """Put it back in front of what came meanwhile."""
        for key, group in self._digest.groups.items():
            older = digest.groups.get(key)
            if older is not None:
                group.number += older.number
            digest.groups[key] = group
        self._digest = digest


def _send(digest: Digest) -> bool:
    try:
        mail_admins(digest.subject(), digest.body())
    except Exception:
        logger.exception("Alert not mailed, trying again later: %s", digest.subject())
        return False
    return True
