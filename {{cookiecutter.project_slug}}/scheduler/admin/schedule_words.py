"""Between the fields of a schedule and a trigger."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from apscheduler.triggers.base import BaseTrigger
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from .. import triggers
from ..given import default_zone
from ..jobrow import zone_of
from ..triggers.zones import key_of

CRON = ("year", "month", "day", "week", "day_of_week", "hour", "minute", "second")
WINDOW = ("start_date", "end_date", "jitter")
# For each kind: form field to argument of the trigger.
GROUPS: dict[str, dict[str, str]] = {
    "interval": {
        f"interval_{unit}": unit for unit in ("weeks", "days", "hours", "minutes", "seconds")
    },
    "crontab": {"crontab_expr": "expr"},
    "cron": {f"cron_{name}": name for name in (*CRON, "days", "gap", "fold")},
    "calendarinterval": {
        f"calendar_{name}": name
        for name in ("years", "months", "weeks", "days", "hour", "minute", "second")
    },
    "date": {"date_run_date": "run_date"},
    "json": {"json_text": "json"},
}
MOMENTS = ("start_date", "end_date", "run_date")
HAS_WINDOW = ("interval", "crontab", "cron", "calendarinterval")


def trigger_from(cleaned: Mapping[str, Any], stored: str = "") -> BaseTrigger:
    """The trigger that the fields of the chosen kind say.

    Args:
        stored: the trigger before; while kind and zone stay, its moments are kept to the
            microsecond where untouched.

    Raises:
        TriggerError: ``field`` is the form's own field.
    """
    kind = cleaned["schedule"]
    if kind == "json":
        try:
            return triggers.loads(cleaned.get("json_text") or "{}")
        except triggers.TriggerError as error:
            raise _at("json_text", error) from None
    names = dict(GROUPS[kind])
    if kind in HAS_WINDOW:
        names |= {name: name for name in WINDOW}
    args = {arg: cleaned[name] for name, arg in names.items() if _given(cleaned.get(name))}
    _keep_moments(args, cleaned, stored)
    if kind == "calendarinterval":
        args |= {name: args[name][:10] for name in ("start_date", "end_date") if name in args}
    try:
        return triggers.build(kind, **args, timezone=cleaned["timezone"])
    except triggers.TriggerError as error:
        by_argument = {arg: name for name, arg in names.items()}
        first = next(iter(GROUPS[kind]))
        raise _at(by_argument.get(error.field or "", first), error) from None


def initial_of(text: str) -> dict[str, Any]:
    """The fields that say what ``text`` says; as JSON where no other kind can."""
    try:
        trigger = triggers.loads(text)
        stored = json.loads(triggers.dumps(trigger))
    except triggers.TriggerError:
        return {"schedule": "json", "json_text": text, "timezone": default_zone_name()}
    kind = stored.pop("type")
    zone = zone_of(trigger)
    initial: dict[str, Any] = {"timezone": stored.pop("timezone", None) or default_zone_name()}
    initial["json_text"] = json.dumps(json.loads(text), indent=1)
    if kind not in GROUPS or (kind == "interval" and "microseconds" in stored):
        return {**initial, "schedule": "json"}
    if kind == "interval":
        stored |= _units(stored.pop("seconds"))
    for name in MOMENTS:
        if name in stored:
            stored[name] = _local(stored[name], zone)
    by_argument = {arg: name for name, arg in GROUPS[kind].items()}
    return {**initial, "schedule": kind} | {by_argument.get(a, a): v for a, v in stored.items()}


def default_zone_name() -> str:
    return key_of(default_zone()) or "UTC"


def _keep_moments(args: dict[str, Any], cleaned: Mapping[str, Any], stored: str) -> None:
    before = initial_of(stored) if stored else {}
    if any(before.get(name) != cleaned[name] for name in ("schedule", "timezone")):
        return  # what is shown is the wall clock of another zone now, or another kind of moment
    exact = json.loads(stored)
    for name in MOMENTS:
        shown = before.get(name, before.get(f"date_{name}"))
        if name in args and args[name] == shown:
            args[name] = exact[name]


def _at(field: str, error: triggers.TriggerError) -> triggers.TriggerError:
    # An error in a member of a combination keeps the name of its argument.
    message = str(error) if field == "json_text" else str(error).removeprefix(f"{error.field}: ")
    named = triggers.TriggerError(message)
    named.field = field
    return named


def _given(value: Any) -> bool:
    return value is not None and value != ""


def _units(seconds: float) -> dict[str, Any]:
    units: dict[str, Any] = {}
    for unit, size in (("days", 86_400), ("hours", 3600), ("minutes", 60)):
        units[unit], seconds = divmod(seconds, size)
    return {name: amount for name, amount in {**units, "seconds": seconds}.items() if amount}


def _local(text: str, zone: Any) -> str:
    at = parse_datetime(text)
    if at is None or timezone.is_naive(at):
        return text
    return timezone.localtime(at, zone).replace(tzinfo=None, microsecond=0).isoformat(" ")
