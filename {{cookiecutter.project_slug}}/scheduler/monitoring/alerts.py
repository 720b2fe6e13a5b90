"""Alerts: by mail to ``ADMINS``, and by Sentry where it is set up.

Receivers of this app's signals. They only put an alert on a queue, since the loop must not wait
for a mail server; anything else (a chat, a pager, a dead man's switch) uses the same signals.
"""

from __future__ import annotations

import logging
import math
from datetime import timedelta
from typing import Any

from django.db.utils import Error as DatabaseError

from .. import signals
from ..conf import conf
from ..db.clock import monotonic
from ..engine.ledger.retries import may_retry
from ..masking import scrubbed, sensitive_names
from ..models import Execution, Term
from ..models.execution import Status
from . import notices, problems
from .digest import Alert
from .health import Health
from .mailer import Mailer

logger = logging.getLogger("scheduler.alerts")

NO_LEADER_AFTER = 60.0
"""Seconds without a leader that no deploy explains."""
NO_LEADER_INTERVAL = timedelta(hours=1)
WORKER_FLUSH = 3.0
"""Seconds for the last mail of a worker process."""
CHECK_INTERVAL = 10.0
"""Seconds between two looks of the leader at standing problems."""

mailer = Mailer()
_check_at = -math.inf


def connect() -> None:
    """Connect the receivers; called once, when the app is ready."""
    signals.run_failed.connect(on_failed)
    signals.run_missed.connect(on_missed)
    signals.run_lost.connect(on_lost)
    signals.run_overdue.connect(on_overdue)
    signals.became_leader.connect(on_leader)
    signals.housekeeping.connect(on_housekeeping)
    signals.worker_stopping.connect(on_worker_stopping)


def on_failed(execution: Execution, exception: BaseException | None = None, **_: Any) -> None:
    """Report a run that failed or timed out, unless it is retried: it may yet succeed.

    A run that no term ever started, since its executor is unknown, is not retried. An exception
    carries its text and the local variables of its frames: where there is something to mask, only
    the masked text is reported.
    """
    if execution.term is None or not may_retry(execution.status, execution):
        kind = "timed out" if execution.status == Status.TIMED_OUT else "failed"
        alert = _alert(kind, execution, execution.exception or execution.reason)
        in_clear = alert.traceback == execution.traceback and not sensitive_names(execution)
        tell(alert, exception if in_clear else None)


def on_missed(execution: Execution, **_: Any) -> None:
    """Report a run that was due and could not start in time."""
    tell(_alert("missed", execution, execution.reason))


def on_lost(execution: Execution, **_: Any) -> None:
    """Report a run whose process died, unless it is retried."""
    if not may_retry(execution.status, execution):
        tell(_alert("lost", execution, execution.reason))


def on_overdue(execution: Execution, **_: Any) -> None:
    """Report a run that lasts longer than its ``warn_after``: one that hangs has no other end.

    Those behind it are skipped, which is no failure either.
    """
    text = f"It is still running after {execution.warn_after:g} s (warn_after)."
    tell(Alert("overdue", execution.job_id, text, execution_id=execution.pk))


def on_leader(term: int, **_: Any) -> None:
    """Report for how long there was no leader, and mail what an ended process left behind.

    A new leader looks at standing problems once its own heartbeats have told what it meets.
    """
    global _check_at
    _check_at = monotonic() + CHECK_INTERVAL
    gap = (
        Term.objects.using(conf().DATABASE).values_list("gap", flat=True).filter(term=term).first()
    )
    if gap is not None and gap > NO_LEADER_AFTER:
        tell(Alert("no leader", "", f"No leader for {gap:.0f} s. Term {term} has just begun."))
    if conf().ALERTS and notices.is_mail_left():
        mailer.send_leftovers()


def on_housekeeping(**_: Any) -> None:
    """Report standing problems once they last, and once they are over."""
    global _check_at
    if not conf().ALERTS or monotonic() < _check_at:
        return
    _check_at = monotonic() + CHECK_INTERVAL
    try:
        for alert in problems.check():
            tell(alert)
    except DatabaseError as error:
        logger.warning("Problems could not be checked: %s", error)


def on_worker_stopping(**_: Any) -> None:
    """Send what a worker process still has, before it ends."""
    flush(WORKER_FLUSH)


def on_health(health: Health) -> None:
    """Report that there is no leader: without one, only a process asked for its health notices."""
    cluster = health.cluster
    led_before = cluster.lease.term > 0
    alone = led_before and not cluster.led and -cluster.lease_remaining > NO_LEADER_AFTER
    if alone and conf().ALERTS and notices.claim("no leader", NO_LEADER_INTERVAL):
        tell(Alert("no leader", "", health.reason))


def tell(alert: Alert, exception: BaseException | None = None) -> None:
    """Send the alert by mail and to Sentry, unless ``APSCHEDULER_ALERTS`` is off."""
    if conf().ALERTS:
        mailer.put(alert)
        _to_sentry(alert, exception)


def flush(timeout: float) -> None:
    """Send what is left at the end of the process; give up after ``timeout`` seconds."""
    mailer.flush(timeout)


def _alert(kind: str, execution: Execution, text: str) -> Alert:
    text, traceback = scrubbed(text, execution), scrubbed(execution.traceback, execution)
    return Alert(kind, execution.job_id, text, traceback, execution.pk, execution.slots)


def _to_sentry(alert: Alert, exception: BaseException | None) -> None:
    try:
        import sentry_sdk
    except ImportError:
        return
    if not sentry_sdk.get_client().dsn:
        return
    with sentry_sdk.new_scope() as scope:
        scope.set_tag("job", alert.job_id)
        scope.set_context("execution", {"id": alert.execution_id, "traceback": alert.traceback})
        if exception is not None:
            scope.capture_exception(exception)
        else:
            scope.fingerprint = [alert.kind, alert.job_id]
            over = alert.kind in problems.OVER.values()
            text = f"{alert.job_id} {alert.kind}: {alert.text}".strip()
            scope.capture_message(text, level="info" if over else "error")
