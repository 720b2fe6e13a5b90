"""The zone that cron times mean, by a name that this machine knows."""

from __future__ import annotations

import difflib
from importlib import resources
from pathlib import Path
from zoneinfo import ZoneInfo, available_timezones

from django.core.exceptions import ImproperlyConfigured


def known_time_zone(name: str) -> str:
    """Return ``name``, or the name of the same zone that the system's own data has.

    Django looks into the system's data only, where Debian 13 has no US/Pacific any more; the
    package tzdata, of which this project depends, has all names and what they are links to.

    Raises:
        ImproperlyConfigured: there is no such zone.
    """
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        close = difflib.get_close_matches(name, sorted(available_timezones()), n=1)
        hint = f" Perhaps {close[0]}." if close else ""
        raise ImproperlyConfigured(
            f"TIME_ZONE is {name!r:.80}. Accepted are names of the IANA time zone database, such "
            f"as Europe/Berlin or UTC.{hint}"
        ) from None
    system = Path("/usr/share/zoneinfo")  # as in django.conf.Settings
    if system.exists() and not system.joinpath(*name.split("/")).exists():
        return links().get(name, name)
    return name


def links() -> dict[str, str]:
    """Return the canonical names of legacy ones, from the package tzdata."""
    text = resources.files("tzdata").joinpath("zoneinfo", "tzdata.zi").read_text()
    lines = (line.split() for line in text.splitlines() if line.startswith("L "))
    return {legacy: name for _, name, legacy in lines}
