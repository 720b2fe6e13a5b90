"""Turn the fields of a schedule into a trigger, and a trigger into fields."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from apscheduler.triggers.base import BaseTrigger
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from ... import formatting, triggers
from ...triggers.timezones import default_zone, key_of

WINDOW = ("start_date", "end_date", "jitter")
MOMENTS = ("start_date", "end_date", "run_date")


def offered() -> list[triggers.TriggerKind]:
    """Return the kinds of triggers that have fields of their own in the form."""
    return [kind for kind in triggers.KINDS.values() if kind.label]


def groups() -> dict[str, dict[str, str]]:
    """Return, for each kind of schedule, its form fields with the trigger's argument for each."""
    own = {
        kind.name: {f"{kind.name}_{field.argument}": field.argument for field in kind.fields}
        for kind in offered()
    }
    return own | {"json": {"json_text": "json"}}


def with_window() -> tuple[str, ...]:
    """Return the kinds that start, end and jitter belong to."""
    return tuple(kind.name for kind in offered() if kind.has_window)


def trigger_from(cleaned: Mapping[str, Any], stored: str = "") -> BaseTrigger:
    """Build the trigger that the fields of the chosen kind describe.

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
    names = groups()[kind]
    if triggers.KINDS[kind].has_window:
        names |= {name: name for name in WINDOW}
    args = {arg: cleaned[name] for name, arg in names.items() if _given(cleaned.get(name))}
    _keep_moments(args, cleaned, stored)
    try:
        args = triggers.KINDS[kind].from_form(args)
        return triggers.build(kind, **args, timezone=cleaned["timezone"])
    except triggers.TriggerError as error:
        by_argument = {arg: name for name, arg in names.items()}
        first = next(iter(groups()[kind]))
        raise _at(by_argument.get(error.field or "", first), error) from None


def initial_of(text: str) -> dict[str, Any]:
    """Return the fields that describe the trigger ``text``; as JSON where no other kind can."""
    try:
        trigger = triggers.loads(text)
        stored = json.loads(triggers.dumps(trigger))
    except triggers.TriggerError:
        return {"schedule": "json", "json_text": text, "timezone": default_zone_name()}
    kind = stored.pop("type")
    zone = triggers.zone_of(trigger)
    initial: dict[str, Any] = {"timezone": stored.pop("timezone", None) or default_zone_name()}
    initial["json_text"] = json.dumps(json.loads(text), indent=1)
    values = triggers.KINDS[kind].to_form(stored)
    if kind not in groups() or values is None:
        return {**initial, "schedule": "json"}
    for name in MOMENTS:
        if name in values:
            values[name] = _local(values[name], zone)
    by_argument = {arg: name for name, arg in groups()[kind].items()}
    return {**initial, "schedule": kind} | {by_argument.get(a, a): v for a, v in values.items()}


def default_zone_name() -> str:
    """Return the name of the time zone of triggers that name none."""
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


def _local(text: str, zone: Any) -> str:
    at = parse_datetime(text)
    if at is None or timezone.is_naive(at):
        return text
    return formatting.local(at, zone).replace(tzinfo=None, microsecond=0).isoformat(" ")
