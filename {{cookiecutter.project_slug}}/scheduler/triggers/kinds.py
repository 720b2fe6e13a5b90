"""The kinds of triggers there are, in the order in which the admin's form offers them."""

from __future__ import annotations

from .calendarinterval import CALENDARINTERVAL
from .combining import AND, OR
from .cron.kind import CRON, CRONTAB
from .date import DATE
from .interval import INTERVAL
from .kind import register

for kind in (INTERVAL, CRONTAB, CRON, CALENDARINTERVAL, DATE, AND, OR):
    register(kind)
