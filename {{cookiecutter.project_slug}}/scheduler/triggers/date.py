"""The date trigger: APScheduler's own, checked."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

from apscheduler.triggers.date import DateTrigger
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from .datetimes import instant_text, moment, utc
from .describe import in_zone, moment_text
from .kind import FormField, TriggerKind
from .timezones import key_of, parse_zone, stored_zone


def _make(run_date: Any = None, timezone: Any = None) -> DateTrigger:
    own = run_date.tzinfo if isinstance(run_date, datetime) else None
    zone = parse_zone(own if own and not timezone and key_of(own) else timezone)
    return DateTrigger(moment(run_date, zone, "run_date") or datetime.now(zone), zone)


def _encode(trigger: Any) -> dict[str, Any]:
    zone = trigger.run_date.tzinfo
    if not key_of(zone):  # only the instant matters, and its offset tells that
        zone = timezone(trigger.run_date.utcoffset())
    return {"run_date": instant_text(trigger.run_date), "timezone": stored_zone(zone)}


def _normalize(trigger: Any) -> DateTrigger:
    zone = trigger.run_date.tzinfo
    meant = moment(trigger.run_date, zone, "run_date")  # raises where it is out of range
    if meant is not None and utc(meant) != utc(trigger.run_date):  # pytz: see _localized()
        return DateTrigger(meant)
    real = utc(trigger.run_date).astimezone(zone)
    # A time that the clock jumps over stands for the instant an offset gives it.
    same = real.replace(tzinfo=None) == trigger.run_date.replace(tzinfo=None)
    return trigger if same else DateTrigger(real)


def _describe(trigger: Any) -> str:
    once = _("Once, at %(time)s") % {"time": moment_text(trigger.run_date)}
    return f"{once}{in_zone(trigger.run_date.tzinfo)}"


DATE = TriggerKind(
    name="date",
    make=_make,
    types=(DateTrigger,),
    encode=_encode,
    describe=_describe,
    normalize=_normalize,
    label=pgettext_lazy("a schedule", "Once"),
    fields=(
        FormField(
            "run_date",
            gettext_lazy("Date and time"),
            "moment",
            gettext_lazy("2030-12-31 23:59:00, in the time zone above"),
        ),
    ),
)
