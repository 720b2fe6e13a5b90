"""What a job says about its runs, and what each run carries with it as a snapshot."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _


class OnLost(models.TextChoices):
    """What follows when the process that ran a job died: APScheduler has no word for it."""

    FAIL = "fail", _("record it as lost")
    RETRY = "retry", _("run it again (the job is idempotent)")


class RunSpec(models.Model):
    """Columns that an execution copies from its job, so that it can run when the job is gone."""

    func = models.CharField("function", max_length=255, help_text="module:function")
    args = models.TextField("arguments", default="[]", help_text="JSON")
    kwargs = models.TextField("keyword arguments", default="{}", help_text="JSON")
    executor = models.CharField(max_length=64, default="default")
    max_instances = models.PositiveIntegerField(default=1)
    timeout = models.FloatField(
        null=True, blank=True, help_text="seconds; not for threads, which cannot be ended"
    )
    warn_after = models.FloatField(null=True, blank=True, help_text="seconds")
    max_retries = models.PositiveIntegerField(default=0)
    retry_delay = models.FloatField(default=0.0, help_text="seconds")
    on_lost = models.CharField(max_length=8, choices=OnLost, default=OnLost.FAIL)
    sensitive = models.TextField(
        default="[]", help_text="JSON list of argument names that no page shows"
    )

    class Meta:
        abstract = True


def label(id: str, name: str, func: str) -> str:
    """Return what people call a job: the name that somebody gave it, else its id.

    APScheduler names a job after its function, which several jobs may share.
    """
    function = func.partition(":")[2]
    return id if name in ("", function, function.rpartition(".")[2]) else name


RUN_SPEC_FIELDS: tuple[str, ...] = tuple(column.attname for column in RunSpec._meta.local_fields)
"""The one list of these columns: rows, ``Due``, ``Run`` and each copy of a job derive from it."""


@dataclass(slots=True, kw_only=True)
class RunSpecValues:
    """The values of the columns of ``RunSpec``, of the same names, apart from any row."""

    func: str = field(repr=False)
    args: str = field(default="[]", repr=False)
    kwargs: str = field(default="{}", repr=False)
    executor: str = field(default="default", repr=False)
    max_instances: int = field(default=1, repr=False)
    timeout: float | None = field(default=None, repr=False)
    warn_after: float | None = field(default=None, repr=False)
    max_retries: int = field(default=0, repr=False)
    retry_delay: float = field(default=0.0, repr=False)
    on_lost: str = field(default=OnLost.FAIL, repr=False)
    sensitive: str = field(default="[]", repr=False)


def snapshot(source: RunSpec | RunSpecValues) -> dict[str, Any]:
    """Return the values of the columns of ``RunSpec``, by name."""
    return {name: getattr(source, name) for name in RUN_SPEC_FIELDS}
