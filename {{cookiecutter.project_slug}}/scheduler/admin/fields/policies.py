"""The fields of a job's policies: what is done when something is late, long, failing or lost."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from django import forms
from django.contrib.admin import widgets
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ...definitions.options import EXECUTORS
from ...models import Job
from ...models.runspec import OnLost

POLICY_NAMES = (
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
POLICY_WORDS = {
    "executor": gettext_lazy("executor"),
    "max_instances": gettext_lazy("max instances"),
    "coalesce": gettext_lazy("coalesce"),
    "misfire_grace_time": gettext_lazy("misfire grace time"),
    "timeout": gettext_lazy("timeout"),
    "warn_after": gettext_lazy("warn after"),
    "max_retries": gettext_lazy("max retries"),
    "retry_delay": gettext_lazy("retry delay"),
    "on_lost": gettext_lazy("on lost"),
    "sensitive": gettext_lazy("sensitive"),
}
"""What a record of a change calls them."""
MAX_SECONDS = 1_000_000_000
MAX_COUNT = 1_000_000


def policy_fields(
    parameters: Iterable[str], secret: Collection[str], job: Job | None = None
) -> dict[str, forms.Field]:
    """Make the fields, with the values of ``job`` or the columns' defaults.

    Args:
        parameters: names of the function's parameters, any of which may be sensitive.
        secret: those that are marked as sensitive already.
    """
    row = job or Job()
    made = _fields()
    for name, field in made.items():
        field.initial = getattr(row, name)
    choices = sorted({*parameters, *secret})
    made["sensitive"] = forms.MultipleChoiceField(
        label=_("Sensitive arguments"),
        choices=[(name, name) for name in choices],
        widget=forms.CheckboxSelectMultiple,
        required=False,
        initial=sorted(secret),
        help_text=_("Shown on no page. A mark can be set here, but only code can take it away."),
    )
    return made


def chosen_policies(cleaned: dict[str, Any], secret: Collection[str]) -> dict[str, Any]:
    """Return options for ``add_job`` and ``modify_job``. A mark as sensitive is never lost."""
    marked = sorted({*secret, *cleaned["sensitive"]})
    return {name: cleaned[name] for name in POLICY_NAMES} | {"sensitive": marked}


def _fields() -> dict[str, forms.Field]:
    return {
        "executor": forms.ChoiceField(
            label=_("Executor"),
            choices=[(alias, alias) for alias in EXECUTORS],
            help_text=_("Threads (default), or processes, which can be stopped at a timeout."),
        ),
        "max_instances": _whole(_("At most at once"), 1, _("Runs of this job at the same time.")),
        "coalesce": forms.BooleanField(
            required=False,
            label=_("One run for all that was missed"),
            help_text=_("Otherwise each missed run is made up for, up to a limit."),
        ),
        "misfire_grace_time": _whole(
            _("Latest start"),
            1,
            _("Seconds after its time; later it counts as missed. Empty: never."),
            False,
        ),
        "timeout": _seconds(
            _("Timeout"), _("Seconds. Stops the run: processes executor only."), False
        ),
        "warn_after": _seconds(
            _("Warn after"), _("Seconds. Longer runs are logged as slow."), False
        ),
        "max_retries": _whole(_("Retries"), 0, _("How often a failed run is tried again.")),
        "retry_delay": _seconds(_("Delay of a retry"), _("Seconds."), True),
        "on_lost": forms.ChoiceField(
            choices=OnLost.choices, label=_("When its process died"), help_text=""
        ),
    }


def _whole(label: str, low: int, help_text: str, required: bool = True) -> forms.Field:
    return forms.IntegerField(
        label=label,
        min_value=low,
        max_value=MAX_COUNT,
        help_text=help_text,
        required=required,
        widget=widgets.AdminIntegerFieldWidget,
    )


def _seconds(label: str, help_text: str, required: bool) -> forms.Field:
    return forms.FloatField(
        label=label,
        min_value=0 if required else 0.001,
        max_value=MAX_SECONDS,
        help_text=help_text,
        required=required,
    )
