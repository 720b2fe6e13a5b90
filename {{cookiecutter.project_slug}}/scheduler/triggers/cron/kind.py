"""The kinds of trigger that a cron trigger is made from: its fields, and a crontab line."""

from __future__ import annotations

from typing import Any

from apscheduler.triggers.cron import CronTrigger as StockCronTrigger
from django.utils.translation import gettext_lazy

from ..kind import FormField, TriggerKind
from ..validation import common_arguments, stored_window
from .describe import describe
from .trigger import DAYS, FOLDS, GAPS, CronTrigger, from_crontab


def _crontab(
    expr: Any = None,
    timezone: Any = None,
    start_date: Any = None,
    end_date: Any = None,
    jitter: Any = None,
    gap: Any = None,
    fold: Any = None,
) -> CronTrigger:
    return from_crontab(
        expr,
        timezone,
        start_date=start_date,
        end_date=end_date,
        jitter=jitter,
        gap=gap,
        fold=fold,
    )


def _encode(trigger: Any) -> dict[str, Any]:
    values = trigger.values()
    fields = {name: text for name, text in values.items() if text != "*"}
    # Fields after the last one written default to their minimum, those before it to "*". So the
    # last must be written, and "second": "0" need not be if "minute" is.
    if values["second"] == "0":
        del fields["second"]
        fields["minute"] = values["minute"]
    else:
        fields["second"] = values["second"]
    return {**fields, **trigger.policies(), **stored_window(trigger)}


def _normalize(trigger: Any) -> CronTrigger:
    if type(trigger) is CronTrigger:
        return trigger
    fields: dict[str, Any] = {field.name: str(field) for field in trigger.fields}
    return CronTrigger(**fields, **common_arguments(trigger))


GAP_UNCHOSEN = gettext_lazy("next; skip if it runs each hour")
FOLD_UNCHOSEN = gettext_lazy("first; both if it runs each hour")

CRON = TriggerKind(
    name="cron",
    make=CronTrigger,
    types=(CronTrigger, StockCronTrigger),
    encode=_encode,
    describe=describe,
    normalize=_normalize,
    label=gettext_lazy("Cron fields"),
    fields=(
        FormField("year", gettext_lazy("year"), "short"),
        FormField("month", gettext_lazy("month"), "short"),
        FormField("day", gettext_lazy("day"), "short"),
        FormField("week", gettext_lazy("week"), "short"),
        FormField("day_of_week", gettext_lazy("day of week"), "short"),
        FormField("hour", gettext_lazy("hour"), "short"),
        FormField("minute", gettext_lazy("minute"), "short"),
        FormField("second", gettext_lazy("second"), "short"),
        FormField(
            "days",
            gettext_lazy("day and day of week"),
            "choice",
            choices=DAYS,
            unchosen=gettext_lazy("both must match"),
        ),
        FormField(
            "gap",
            gettext_lazy("time skipped in spring"),
            "choice",
            choices=GAPS,
            unchosen=GAP_UNCHOSEN,
        ),
        FormField(
            "fold",
            gettext_lazy("time repeated in autumn"),
            "choice",
            choices=FOLDS,
            unchosen=FOLD_UNCHOSEN,
        ),
    ),
    has_window=True,
)
CRONTAB = TriggerKind(
    name="crontab",
    make=_crontab,
    label=gettext_lazy("Crontab line"),
    fields=(
        FormField(
            "expr",
            gettext_lazy("Crontab line"),
            help_text=gettext_lazy(
                "minute hour day-of-month month day-of-week, for example 30 4 * * mon-fri; "
                "or @hourly, @daily, @weekly, @monthly, @yearly"
            ),
        ),
    ),
    has_window=True,
)
