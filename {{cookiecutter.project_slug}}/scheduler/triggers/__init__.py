"""When jobs run: triggers as JSON, as words, and as the times they stand for."""

from . import kinds  # noqa: F401  (registers them)
from .calendarinterval import CalendarIntervalTrigger
from .codec import dumps, loads
from .combining import AndTrigger, OrTrigger
from .cron import CronTrigger, from_crontab
from .datetimes import checked_moment
from .describe import describe
from .errors import TriggerError
from .factory import build, check_names, normalize
from .interval import IntervalTrigger
from .kind import KINDS, FormField, TriggerKind, register
from .preview import next_runs
from .timezones import default_zone, zone_of
from .zonerules import fingerprint, names, replanned

__all__ = [
    "KINDS",
    "AndTrigger",
    "CalendarIntervalTrigger",
    "CronTrigger",
    "FormField",
    "IntervalTrigger",
    "OrTrigger",
    "TriggerError",
    "TriggerKind",
    "build",
    "check_names",
    "checked_moment",
    "default_zone",
    "describe",
    "dumps",
    "fingerprint",
    "from_crontab",
    "loads",
    "names",
    "next_runs",
    "normalize",
    "register",
    "replanned",
    "zone_of",
]
