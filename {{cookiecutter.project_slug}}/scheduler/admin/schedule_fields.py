"""The fields of a schedule: one group for each kind, of which the chosen one counts."""

from __future__ import annotations

from functools import cache
from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.contrib.admin import widgets

from ..triggers import cron
from .schedule_words import CRON, GROUPS, default_zone_name, initial_of

KINDS = (
    ("interval", "Every so often"),
    ("crontab", "Crontab line"),
    ("cron", "Cron fields"),
    ("calendarinterval", "Every so many days, weeks, months or years"),
    ("date", "Once"),
    ("json", "As JSON, combinations too"),
)


class _Lines(forms.CharField):
    """Browsers send line breaks as CRLF: that alone is no change."""

    def has_changed(self, initial: Any, data: Any) -> bool:
        return super().has_changed(initial, (data or "").replace("\r\n", "\n"))


def fields(stored: str = "") -> dict[str, forms.Field]:
    """All fields; ``stored`` is the text of the trigger that they start from."""
    initial = (
        initial_of(stored) if stored else {"schedule": "interval", "timezone": default_zone_name()}
    )
    made: dict[str, forms.Field] = {
        "schedule": forms.ChoiceField(choices=KINDS, widget=forms.RadioSelect, label="Kind"),
        "timezone": forms.ChoiceField(
            choices=_zones(initial.get("timezone")),
            label="Time zone",
            help_text="Whose wall clock the schedule follows.",
        ),
        **_interval(),
        "crontab_expr": forms.CharField(
            label="Crontab line",
            help_text="minute hour day-of-month month day-of-week, for example 30 4 * * mon-fri; "
            "or @hourly, @daily, @weekly, @monthly, @yearly",
        ),
        **_cron(),
        **_calendar(),
        "date_run_date": _moment("Date and time", "2030-12-31 23:59:00, in the time zone above"),
        "json_text": _Lines(
            label="JSON",
            widget=forms.Textarea(attrs={"rows": 4, "class": "vLargeTextField"}),
            help_text='A trigger, or a combination: {"type": "or", "triggers": [{"type": "cron", '
            '"hour": "3"}, {"type": "interval", "hours": 5}]}',
        ),
        "start_date": _moment("Not before", "Empty: at once."),
        "end_date": _moment("Not after", "Empty: for ever."),
        "jitter": forms.FloatField(
            label="Jitter", min_value=0, help_text="Seconds by which runs vary, later at random."
        ),
    }
    for name, field in made.items():
        field.initial = initial.get(name)
        field.required = name in ("schedule", "timezone")
    return made


def _zones(extra: str | None) -> list[tuple[str, str]]:
    names = {"UTC", *_zone_names()}
    if extra:
        names.add(extra)
    return [(name, name) for name in sorted(names)]


@cache
def _zone_names() -> frozenset[str]:
    return frozenset(available_timezones())


def _moment(label: str, help_text: str) -> forms.Field:
    return forms.CharField(
        label=label,
        help_text=help_text,
        widget=forms.TextInput(attrs={"placeholder": "YYYY-MM-DD HH:MM:SS", "class": "vTextField"}),
    )


def _number(label: str, low: int = 0, high: int | None = None) -> forms.Field:
    return forms.IntegerField(
        label=label, min_value=low, max_value=high, widget=widgets.AdminIntegerFieldWidget
    )


def _interval() -> dict[str, forms.Field]:
    return {name: _number(unit) for name, unit in GROUPS["interval"].items()}


def _cron() -> dict[str, forms.Field]:
    made: dict[str, forms.Field] = {
        f"cron_{name}": forms.CharField(
            label=name.replace("_", " "), widget=forms.TextInput(attrs={"size": 10})
        )
        for name in CRON
    }
    for name, label, choices in (
        ("days", "day and day of week", cron.DAYS),
        ("gap", "time skipped in spring", cron.GAPS),
        ("fold", "time repeated in autumn", cron.FOLDS),
    ):
        options = [("", "usual"), *((choice, choice) for choice in choices)]
        made[f"cron_{name}"] = forms.ChoiceField(label=label, choices=options)
    return made


def _calendar() -> dict[str, forms.Field]:
    return {
        "calendar_years": _number("years"),
        "calendar_months": _number("months"),
        "calendar_weeks": _number("weeks"),
        "calendar_days": _number("days"),
        "calendar_hour": _number("at hour", 0, 23),
        "calendar_minute": _number("minute", 0, 59),
        "calendar_second": _number("second", 0, 59),
    }
