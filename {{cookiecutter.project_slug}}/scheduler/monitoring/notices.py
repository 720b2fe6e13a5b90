"""Who may tell what, among all processes and across restarts: decided by rows of ``Notice``."""

from __future__ import annotations

from datetime import timedelta

from django.db import IntegrityError, transaction

from ..conf import conf
from ..db.clock import db_now
from ..models import Notice
from .digest import Digest

MAIL = "mail"
"""Key of the notice that says when the last mail was sent. Its text is what waits for the next."""


def claim(key: str, interval: timedelta) -> bool:
    """Return whether this process may tell what ``key`` names: one may, once per ``interval``.

    Raises:
        DatabaseError: the database cannot be read or written.
    """
    using = conf().DATABASE
    now, rows = db_now(using), Notice.objects.using(using).filter(key=key)
    last = rows.first()
    if last is not None:
        return last.at <= now - interval and bool(rows.filter(at=last.at).update(at=now))
    try:
        with transaction.atomic(using=using):
            Notice.objects.using(using).create(key=key, at=now)
    except IntegrityError:
        return False
    return True


def take_mail_turn(interval: timedelta) -> tuple[float, Digest]:
    """Take the cluster's turn to mail, and what processes that have ended left for it.

    Of two processes that want the turn, the second waits here for the row that the first has
    locked, and then reads its time.

    Returns:
        0 seconds and what was left, or the seconds until the next turn and an empty digest.

    Raises:
        DatabaseError: the database cannot be read or written.
    """
    using = conf().DATABASE
    with transaction.atomic(using=using):
        row, is_first = _mail_row(using)
        now = db_now(using)
        wait = 0.0 if is_first else (row.at + interval - now).total_seconds()
        if 0 < wait <= interval.total_seconds():  # longer: the clock was set back
            return wait, Digest()
        left = Digest.loads(row.text)
        row.at, row.text = now, ""
        row.save(using=using)
    return 0.0, left


def leave_for_next_mail(digest: Digest) -> None:
    """Keep what this process cannot mail any more, for the next mail of any process.

    Raises:
        DatabaseError: the database cannot be read or written.
    """
    using = conf().DATABASE
    with transaction.atomic(using=using):
        row, _ = _mail_row(using)
        left = Digest.loads(row.text)
        left.merge(digest)
        row.text = left.dumps()
        row.save(using=using)


def is_mail_left() -> bool:
    """Return whether a process that has ended left something to mail."""
    rows = Notice.objects.using(conf().DATABASE).filter(key=MAIL)
    return rows.exclude(text="").exists()


def _mail_row(using: str) -> tuple[Notice, bool]:
    rows = Notice.objects.using(using)
    _, is_first = rows.get_or_create(key=MAIL, defaults={"at": db_now(using)})
    return rows.select_for_update().get(key=MAIL), is_first
