"""What somebody should hear of: by mail to ``ADMINS``, and by Sentry where it is set up.

Receivers of this app's signals. They only put an alert on a queue, since the loop must not wait
for a mail server; anything else (a chat, a pager, a dead man's switch) hangs on the same signals.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.db import IntegrityError, transaction

from . import signals
from .alert_digest import Alert
from .alert_mail import Mailer
from .conf import conf
from .engine.clock import db_now
from .engine.retries import may_retry
from .masking import scrubbed, sensitive_names
from .models import Execution, Notice, Term
from .models.execution import Status

if TYPE_CHECKING:
    from .health import Health

NO_LEADER_AFTER = 60.0
"""Seconds without a leader that a deploy does not explain."""
NO_LEADER_EVERY = timedelta(hours=1)

mailer = Mailer()


def connect() -> None:
    """Called once, when the app is ready."""
    signals.run_failed.connect(on_failed)
    signals.run_missed.connect(on_missed)
    signals.run_lost.connect(on_lost)
    signals.became_leader.connect(on_leader)


def on_failed(execution: Execution, exception: BaseException | None = None, **_: Any) -> None:
    """Failed or timed out. An attempt that has retries left is not told: it may yet succeed.

    What no term ever started, since its executor is unknown, is not retried. An exception carries
    its text and the local variables of its frames: where arguments are sensitive, it stays here.
    """
    if execution.term is None or not may_retry(execution.status, execution):
        kind = "timed out" if execution.status == Status.TIMED_OUT else "failed"
        told = None if sensitive_names(execution) else exception
        tell(_alert(kind, execution, execution.exception or execution.reason), told)


def on_missed(execution: Execution, **_: Any) -> None:
    tell(_alert("missed", execution, execution.reason))


def on_lost(execution: Execution, **_: Any) -> None:
    """As of a failure, nobody is told of one that is tried again."""
    if not may_retry(execution.status, execution):
        tell(_alert("lost", execution, execution.reason))


def on_leader(term: int, **_: Any) -> None:
    """Afterwards the new leader knows for how long there was none."""
    gap = Term.objects.using(conf().DATABASE).values_list("gap", flat=True).get(term=term)
    if gap is not None and gap > NO_LEADER_AFTER:
        tell(Alert("no leader", "", f"Nobody led for {gap:.0f} s. Term {term} began just now."))


def on_health(health: Health) -> None:
    """Meanwhile nobody can tell but a web worker that is asked for the scheduler's health."""
    alone = health.term and not health.led and -health.lease_remaining > NO_LEADER_AFTER
    if alone and conf().ALERTS and _first_to_say("no leader", NO_LEADER_EVERY):
        tell(Alert("no leader", "", health.reason))


def tell(alert: Alert, exception: BaseException | None = None) -> None:
    if conf().ALERTS:
        mailer.put(alert)
        _to_sentry(alert, exception)


def flush(timeout: float) -> None:
    """Send what waits, at the end of the process; give up after ``timeout`` seconds."""
    mailer.flush(timeout)


def _alert(kind: str, execution: Execution, text: str) -> Alert:
    text, traceback = scrubbed(text, execution), scrubbed(execution.traceback, execution)
    return Alert(kind, execution.job_id, text, traceback, execution.pk, execution.slots)


def _first_to_say(key: str, every: timedelta) -> bool:
    """Of all processes one may say it, once in ``every``."""
    using = conf().DATABASE
    now, rows = db_now(using), Notice.objects.using(using).filter(key=key)
    said = rows.first()
    if said is not None:
        return said.at <= now - every and bool(rows.filter(at=said.at).update(at=now))
    try:
        with transaction.atomic(using=using):
            Notice.objects.using(using).create(key=key, at=now)
    except IntegrityError:
        return False
    return True


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
            scope.capture_message(f"{alert.job_id} {alert.kind}: {alert.text}", level="error")
