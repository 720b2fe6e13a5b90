"""The time of the pages: the database's, as the scheduler's is."""

from __future__ import annotations

from datetime import datetime

from ..conf import conf
from ..engine.clock import db_now


def now() -> datetime:
    return db_now(conf().DATABASE)
