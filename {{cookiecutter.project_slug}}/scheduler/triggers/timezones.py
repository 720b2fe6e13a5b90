"""Time zones by name: what JSON and operators write, and what triggers compute with."""

from __future__ import annotations

import difflib
import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from importlib import resources
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from apscheduler.triggers.base import BaseTrigger
from django.conf import settings

from ..conf import conf
from .errors import TriggerError

DISTANCE = re.compile(r"(?:UTC|GMT|Z)?\s*([+-])\s*(\d{1,2})(?::?(\d\d))?", re.IGNORECASE)
"""An offset as people write it. POSIX, and so Etc/GMT+8, counts the other way round."""
MAX_NAME = 100
ZONE_NAME = re.compile(r"[A-Za-z].*")
"""Not an offset, such as +02:00."""
OFFSET = re.compile(r"([+-])(\d\d):?(\d\d)(?::(\d\d))?")
# The first three lead to files that are no zones of their own; "right" counts leap seconds.
NOT_ZONES = ("localtime", "posixrules", "Factory", "posix", "right")


def parse_zone(value: Any, field: str = "timezone") -> tzinfo:
    """Return the zone that ``value`` names.

    Args:
        value: a name, an offset such as ``+02:00``, or any tzinfo that has a name; None and an
            empty text stand for the project's zone.
        field: the argument that an error names.

    Raises:
        TriggerError: no such zone; the message suggests near ones.
    """
    if value is None or value == "":
        return default_zone()
    if isinstance(value, str):
        return zone_named(value, field)
    if isinstance(value, tzinfo):
        if key := key_of(value):
            return zone_named(key, field)
        raise TriggerError(f"{value!r} has no name; pass a zone's name", field)
    raise TriggerError(f"expected the name of a zone, got {value!r}", field)


def default_zone() -> tzinfo:
    """Return the zone of triggers that name none."""
    return zone_named(conf().TIMEZONE or settings.TIME_ZONE)


def zone_named(name: str, field: str = "timezone") -> tzinfo:
    """Return the zone of that name or offset.

    Raises:
        TriggerError: no such zone; the message suggests near ones.
    """
    if zone := zone_if_known(name):
        return zone
    raise TriggerError(f"there is no time zone {name!r:.80}; {_hint(name)}", field)


def is_only_here(name: str) -> bool:
    """Return whether a zone is known to this machine alone, and not to the package tzdata."""
    try:
        known = resources.files("tzdata").joinpath("zones").read_text("utf-8").split()
    except ModuleNotFoundError:
        return False
    return bool(ZONE_NAME.fullmatch(name)) and name not in known


def zone_of(trigger: BaseTrigger) -> tzinfo:
    """Return the zone in which a trigger counts its days."""
    if members := getattr(trigger, "triggers", None):
        return zone_of(members[0])
    run_date = getattr(trigger, "run_date", None)
    zone = getattr(trigger, "timezone", None) or (run_date and run_date.tzinfo)
    return zone or default_zone()


def stored_zone(zone: tzinfo) -> str:
    """Return the name by which a stored trigger names the zone.

    Raises:
        TriggerError: it has no name.
    """
    if key := key_of(zone):
        return key
    raise TriggerError(f"{zone!r} has no name to store; pass a zone's name", "timezone")


def key_of(zone: tzinfo) -> str | None:
    """Return the name that ``parse_zone`` turns back into this zone; None if there is none."""
    if isinstance(zone, timezone):
        return _offset_key(zone.utcoffset(None))
    key = getattr(zone, "key", None) or getattr(zone, "zone", None)  # zoneinfo, pytz
    if isinstance(key, str):
        return key
    try:  # those of pytz, dateutil and pendulum that are one offset have no name
        offset = zone.utcoffset(None)
    except Exception:  # whatever somebody's own class says
        return None
    return _offset_key(offset) if offset is not None else None


def _offset_key(offset: timedelta) -> str:
    if not offset:
        return "UTC"
    return datetime(2000, 1, 1, tzinfo=timezone(offset)).isoformat()[19:]


@lru_cache(maxsize=1024)
def zone_if_known(name: str) -> tzinfo | None:
    """Return the zone of that name or offset; None if there is none.

    All are kept, so that a process counts by the rules that it began with.
    """
    if name.upper() in ("UTC", "Z"):
        return UTC
    if match := OFFSET.fullmatch(name):
        hours, minutes, seconds = (int(part or 0) for part in match.groups()[1:])
        span = timedelta(hours=hours, minutes=minutes, seconds=seconds)
        return timezone(-span if match[1] == "-" else span) if span < timedelta(days=1) else None
    if name.split("/", 1)[0] in NOT_ZONES or len(name) > MAX_NAME:
        return None
    try:
        return ZoneInfo(name)
    except (LookupError, ValueError, OSError):
        return None


def _hint(name: str) -> str:
    if name.split("/", 1)[0] in NOT_ZONES:
        return "that is what this machine is set to: use a name that means the same everywhere"
    if match := DISTANCE.fullmatch(name.strip()):
        sign, hours, minutes = match.groups()
        if int(hours) < 24:  # Etc/GMT+8 lies to the west: it is UTC-8
            offset = f"{sign}{int(hours):02}:{minutes or '00'}"
            return f"write {offset}, or the name of a zone, which has its summer time as well"
    near = _suggestions(name[:MAX_NAME])
    return f"did you mean {' or '.join(near)}?" if near else "use a name like Europe/Berlin"


def _suggestions(name: str) -> list[str]:
    wanted = name.strip().casefold().replace(" ", "_")
    known = {key.casefold(): key for key in available_timezones() if key not in NOT_ZONES}
    cities = {low.rsplit("/", 1)[-1]: key for low, key in sorted(known.items(), reverse=True)}
    near = [known[low] for low in difflib.get_close_matches(wanted, known, n=3, cutoff=0.7)]
    city = difflib.get_close_matches(wanted.rsplit("/", 1)[-1], cities, n=3, cutoff=0.8)
    return list(dict.fromkeys([*near, *(cities[low] for low in city)]))[:3]
