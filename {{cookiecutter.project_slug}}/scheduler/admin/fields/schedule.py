"""The fields of a schedule: one group for each kind of trigger, of which the chosen one counts."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.contrib.admin import widgets
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from ...triggers import FormField
from ...triggers.codec import MAX_LENGTH
from .triggers import default_zone_name, initial_of, offered

COMBINATION = (
    '{"type": "or", "triggers": [{"type": "cron", "hour": "3"}, {"type": "interval", "hours": 5}]}'
)


class _Lines(forms.CharField):
    """Browsers send line breaks as CRLF: that alone is no change."""

    def has_changed(self, initial: Any, data: Any) -> bool:
        return super().has_changed(initial, (data or "").replace("\r\n", "\n"))


def schedule_fields(stored: str = "") -> dict[str, forms.Field]:
    """Return all fields of a schedule.

    Args:
        stored: the text of the trigger that they start from; empty for a new job.
    """
    initial = (
        initial_of(stored) if stored else {"schedule": "interval", "timezone": default_zone_name()}
    )
    made: dict[str, forms.Field] = {
        "schedule": forms.ChoiceField(
            choices=list(titles().items()),
            widget=forms.RadioSelect,
            label=pgettext("of a schedule", "Kind"),
        ),
        "timezone": forms.ChoiceField(
            choices=_zones(initial.get("timezone")),
            label=_("Time zone"),
            help_text=_("Whose wall clock the schedule follows."),
        ),
    }
    for kind in offered():
        for each in kind.fields:
            made[f"{kind.name}_{each.argument}"] = WIDGETS[each.type](each)
    made |= {
        "json_text": _Lines(
            label="JSON",
            max_length=MAX_LENGTH,
            widget=forms.Textarea(attrs={"rows": 4, "class": "vLargeTextField"}),
            help_text=_("A trigger, or a combination: %(example)s") % {"example": COMBINATION},
        ),
        "start_date": _moment(
            FormField("start_date", _("Not before"), help_text=_("Empty: at once."))
        ),
        "end_date": _moment(FormField("end_date", _("Not after"), help_text=_("Empty: for ever."))),
        "jitter": forms.FloatField(
            label=_("Jitter"),
            min_value=0,
            help_text=_("Seconds by which runs vary, later at random."),
        ),
    }
    for name, field in made.items():
        field.initial = initial.get(name)
        field.required = name in ("schedule", "timezone")
    return made


def titles() -> dict[str, str]:
    """Return the title of each kind of schedule by its name."""
    own = {kind.name: str(kind.label) for kind in offered()}
    return own | {"json": _("As JSON, combinations too")}


def _zones(extra: str | None) -> list[tuple[str, str]]:
    names = {"UTC", *_zone_names()}
    if extra:
        names.add(extra)
    return [(name, name) for name in sorted(names)]


@cache
def _zone_names() -> frozenset[str]:
    return frozenset(available_timezones())


def _text(field: FormField) -> forms.Field:
    return forms.CharField(label=field.label, help_text=field.help_text)


def _moment(field: FormField) -> forms.Field:
    return forms.CharField(
        label=field.label,
        help_text=field.help_text,
        widget=forms.TextInput(
            attrs={"placeholder": _("YYYY-MM-DD HH:MM:SS"), "class": "vTextField"}
        ),
    )


def _whole(field: FormField) -> forms.Field:
    return forms.IntegerField(
        label=field.label,
        min_value=field.minimum,
        max_value=field.maximum,
        help_text=field.help_text,
        widget=widgets.AdminIntegerFieldWidget,
    )


def _short(field: FormField) -> forms.Field:
    return forms.CharField(
        label=field.label,
        help_text=field.help_text,
        widget=forms.TextInput(attrs={"size": 10}),
    )


def _choice(field: FormField) -> forms.Field:
    options = [("", field.unchosen), *((choice, choice) for choice in field.choices)]
    return forms.ChoiceField(label=field.label, choices=options)


WIDGETS: dict[str, Callable[[FormField], forms.Field]] = {
    "text": _text,
    "short": _short,
    "whole": _whole,
    "choice": _choice,
    "moment": _moment,
}
