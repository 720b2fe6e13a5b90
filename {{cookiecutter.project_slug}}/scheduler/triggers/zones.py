"""Time zones by name: what JSON and operators write, and what triggers compute with."""

from __future__ import annotations

import difflib
import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from django.conf import settings

from ..conf import conf
from .errors import TriggerError

OFFSET = re.compile(r"([+-])(\d\d):?(\d\d)(?::(\d\d))?")
# The first three lead to files that are no zones of their own; "right" counts leap seconds.
NOT_ZONES = ("localtime", "posixrules", "Factory", "posix", "right")


def zone_of(value: Any, field: str = "timezone") -> tzinfo:
    """The zone that ``value`` names: a name, an offset such as ``+02:00``, or any tzinfo.

    ``None`` and an empty text stand for the project's zone.

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
    """The zone of triggers that name none."""
    return zone_named(conf().TIMEZONE or settings.TIME_ZONE)


def zone_named(name: str, field: str = "timezone") -> tzinfo:
    """The zone of that name or offset.

    Raises:
        TriggerError: no such zone; the message suggests near ones.
    """
    if zone := _parsed(name):
        return zone
    near = _suggestions(name)
    hint = f"; did you mean {' or '.join(near)}?" if near else "; use a name like Europe/Berlin"
    raise TriggerError(f"there is no time zone {name!r}{hint}", field)


def key_of(zone: tzinfo) -> str | None:
    """The name that ``zone_of`` turns back into this zone; ``None`` if there is none."""
    if isinstance(zone, timezone):
        return _offset_key(zone.utcoffset(None))
    key = getattr(zone, "key", None) or getattr(zone, "zone", None)  # zoneinfo, pytz
    if isinstance(key, str):
        return key
    if type(zone).__module__.startswith("pytz"):  # its fixed offsets have no name
        return _offset_key(zone.utcoffset(datetime(2000, 1, 1)) or timedelta())
    return None


def _offset_key(offset: timedelta) -> str:
    if not offset:
        return "UTC"
    return datetime(2000, 1, 1, tzinfo=timezone(offset)).isoformat()[19:]


@lru_cache(maxsize=256)
def _parsed(name: str) -> tzinfo | None:
    if name.upper() in ("UTC", "Z"):
        return UTC
    if match := OFFSET.fullmatch(name):
        hours, minutes, seconds = (int(part or 0) for part in match.groups()[1:])
        span = timedelta(hours=hours, minutes=minutes, seconds=seconds)
        return timezone(-span if match[1] == "-" else span) if span < timedelta(days=1) else None
    if name.split("/", 1)[0] in NOT_ZONES:
        return None
    try:
        return ZoneInfo(name)
    except (LookupError, ValueError, OSError):
        return None


def _suggestions(name: str) -> list[str]:
    wanted = name.strip().casefold().replace(" ", "_")
    known = {key.casefold(): key for key in available_timezones()}
    cities = {low.rsplit("/", 1)[-1]: key for low, key in sorted(known.items(), reverse=True)}
    near = [known[low] for low in difflib.get_close_matches(wanted, known, n=3, cutoff=0.7)]
    city = difflib.get_close_matches(wanted.rsplit("/", 1)[-1], cities, n=3, cutoff=0.8)
    return list(dict.fromkeys([*near, *(cities[low] for low in city)]))[:3]
