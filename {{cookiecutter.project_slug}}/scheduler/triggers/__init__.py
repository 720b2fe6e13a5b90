"""When jobs run: triggers as JSON, as words, and as the times they stand for."""

from .building import KINDS, build, check_names
from .calendarinterval import CalendarIntervalTrigger
from .codec import dumps, loads
from .combining import AndTrigger, OrTrigger
from .cron import CronTrigger
from .crontab import from_crontab
from .errors import TriggerError
from .interval import IntervalTrigger
from .planning import next_runs
from .stock import normalize
from .words import describe

__all__ = [
    "KINDS",
    "AndTrigger",
    "CalendarIntervalTrigger",
    "CronTrigger",
    "IntervalTrigger",
    "OrTrigger",
    "TriggerError",
    "build",
    "check_names",
    "describe",
    "dumps",
    "from_crontab",
    "loads",
    "next_runs",
    "normalize",
]
