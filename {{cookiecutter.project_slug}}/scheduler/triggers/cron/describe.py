"""Cron triggers in words, by cron-descriptor as far as it knows APScheduler's expressions."""

from __future__ import annotations

import re
from functools import lru_cache

from apscheduler.triggers.cron.expressions import WEEKDAYS
from cron_descriptor import ExpressionDescriptor, FormatError, Options
from django.utils import dates, translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext

from ..describe import window
from .trigger import CronTrigger

LOCALES = {"de": "de_DE", "es": "es_ES"}
"""What cron-descriptor calls the languages in which the console has catalogues."""
ENGLISH = "en_US"
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September",
          "October", "November", "December")  # fmt: skip
OF_CALENDAR = dict(
    zip((*DAYS, *MONTHS), (*dates.WEEKDAYS.values(), *dates.MONTHS.values()), strict=True)
)
"""The names that cron-descriptor takes from the calendar, and leaves in English."""
CALENDAR_NAME = re.compile(rf"\b(?:{'|'.join(OF_CALENDAR)})\b")
POSITION = re.compile(r"(?P<number>[1-5])(?:st|nd|rd|th) (?P<day>\w+)|last (?P<last>\w+)")
STEP = re.compile(r"\*/(?P<step>\d+)")
SIZES = {"second": 60, "minute": 60, "hour": 24}
GAP_WORDS = {
    "next": gettext_lazy(", in a daylight saving gap right after it"),
    "skip": gettext_lazy(", in a daylight saving gap not at all"),
}
FOLD_WORDS = {
    "first": gettext_lazy(", in a repeated hour once"),
    "both": gettext_lazy(", in a repeated hour twice"),
}


def describe(trigger: CronTrigger) -> str:
    """Return the cron trigger in words."""
    values = trigger.values()
    text, extra = _days(values, trigger.days == "either")
    if values["week"] != "*":
        extra += _(", in ISO week %(week)s") % {"week": values["week"]}
    policies = trigger.policies()
    if "gap" in policies:
        extra += str(GAP_WORDS[trigger.gap])
    if "fold" in policies:
        extra += str(FOLD_WORDS[trigger.fold])
    words = _crontab(text, LOCALES.get((translation.get_language() or "")[:2], ENGLISH))
    words = CALENDAR_NAME.sub(lambda found: str(OF_CALENDAR[found[0]]), words)
    return f"{words}{extra}{window(trigger)}"


def _days(values: dict[str, str], either: bool) -> tuple[str, str]:
    """Return the expression that cron-descriptor can word, and the words for what it cannot."""
    day, weekday, extra = values["day"], values["day_of_week"], ""
    if day == "last":
        day = "L"
    elif re.search("[a-z]", day):
        day, weekday, extra = _positions(day, weekday)
    if day != "*" and weekday != "*" and not either:  # it would word these with "or"
        weekday, extra = "*", extra + _(", only on %(days)s") % {"days": _weekdays(weekday)}
    clock = " ".join(_uneven(name, values[name]) for name in ("second", "minute", "hour"))
    return f"{clock} {day} {values['month']} {weekday} {values['year']}".upper(), extra


def _uneven(name: str, text: str) -> str:
    """Return ``*/n`` as a list where n does not divide the field.

    "Every 59 minutes" is wrong of :00 and :59.
    """
    match = STEP.fullmatch(text)
    size = SIZES[name]
    if not match or not size % int(match["step"]):
        return text
    return ",".join(map(str, range(0, size, int(match["step"]))))


def _positions(day: str, weekday: str) -> tuple[str, str, str]:
    match = POSITION.fullmatch(day)
    if match and weekday == "*":
        number = (WEEKDAYS.index(match["day"] or match["last"]) + 1) % 7
        return "*", f"{number}L" if match["last"] else f"{number}#{match['number']}", ""
    last = pgettext("day of the month", "the last")
    joined = ", ".join(last if part == "last" else part for part in day.split(","))
    return "*", weekday, _(", on %(days)s of the month") % {"days": joined}


def _weekdays(text: str) -> str:
    full = [
        f" {pgettext('between weekdays', 'to')} ".join(
            str(dates.WEEKDAYS[WEEKDAYS.index(name)]) for name in part.split("-")
        )
        for part in text.split(",")
    ]
    both = [", ".join(full[:-1]), full[-1]] if full[1:] else full
    return f" {pgettext('between weekdays', 'and')} ".join(both)


@lru_cache(maxsize=1024)
def _crontab(text: str, locale: str) -> str:
    options = Options(use_24hour_time_format=True, locale_code=locale)
    try:
        return str(ExpressionDescriptor(text, options).get_full_description())
    except FormatError:
        return f"Cron {text}"
