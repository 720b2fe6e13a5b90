"""The fields of a job's policies: what is done when something is late, long, failing or lost."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from django import forms
from django.contrib.admin import widgets

from ..given import EXECUTORS
from ..models import Job
from ..models.policies import OnLost

NAMES = (
    "executor",
    "max_instances",
    "coalesce",
    "misfire_grace_time",
    "timeout",
    "warn_after",
    "max_retries",
    "retry_delay",
    "on_lost",
)
LONGEST = 1_000_000_000
MOST = 1_000_000


def fields(
    parameters: Iterable[str], secret: Collection[str], job: Job | None = None
) -> dict[str, forms.Field]:
    """Starting from ``job``, or from the defaults of the columns; ``secret``: marked already."""
    row = job or Job()
    made = _fields()
    for name, field in made.items():
        field.initial = getattr(row, name)
    choices = sorted({*parameters, *secret})
    made["sensitive"] = forms.MultipleChoiceField(
        label="Sensitive arguments",
        choices=[(name, name) for name in choices],
        widget=forms.CheckboxSelectMultiple,
        required=False,
        initial=sorted(secret),
        help_text="Shown on no page. A mark can be set here, but only code can take it away.",
    )
    return made


def chosen(cleaned: dict[str, Any], secret: Collection[str]) -> dict[str, Any]:
    """What ``add_job`` and ``modify_job`` take. A mark as sensitive is never lost."""
    marked = sorted({*secret, *cleaned["sensitive"]})
    return {name: cleaned[name] for name in NAMES} | {"sensitive": marked}


def _fields() -> dict[str, forms.Field]:
    return {
        "executor": forms.ChoiceField(
            choices=[(alias, alias) for alias in EXECUTORS],
            help_text="Threads (default), or processes, which can be stopped at a timeout.",
        ),
        "max_instances": _whole("At most at once", 1, "Runs of this job at the same time."),
        "coalesce": forms.BooleanField(
            required=False,
            label="One run for all that was missed",
            help_text="Otherwise each missed run is made up for, up to a limit.",
        ),
        "misfire_grace_time": _whole(
            "Latest start",
            1,
            "Seconds after its time; later it counts as missed. Empty: never.",
            False,
        ),
        "timeout": _seconds("Timeout", "Seconds. Stops the run: processes executor only.", False),
        "warn_after": _seconds("Warn after", "Seconds. Longer runs are logged as slow.", False),
        "max_retries": _whole("Retries", 0, "How often a failed run is tried again."),
        "retry_delay": _seconds("Delay of a retry", "Seconds.", True),
        "on_lost": forms.ChoiceField(
            choices=OnLost.choices, label="When its process died", help_text=""
        ),
    }


def _whole(label: str, low: int, help_text: str, required: bool = True) -> forms.Field:
    return forms.IntegerField(
        label=label,
        min_value=low,
        max_value=MOST,
        help_text=help_text,
        required=required,
        widget=widgets.AdminIntegerFieldWidget,
    )


def _seconds(label: str, help_text: str, required: bool) -> forms.Field:
    return forms.FloatField(
        label=label,
        min_value=0 if required else 0.001,
        max_value=LONGEST,
        help_text=help_text,
        required=required,
    )
