"""What a job says about its runs, and what each run carries with it as a snapshot."""

from __future__ import annotations

from django.db import models


class OnLost(models.TextChoices):
    """What follows when the process that ran a job died: APScheduler has no word for it."""

    FAIL = "fail", "record it as lost"
    RETRY = "retry", "run it again (the job is idempotent)"


class Policies(models.Model):
    """Columns that an execution copies from its job, so that it can run when the job is gone."""

    func = models.CharField("function", max_length=255, help_text="module:function")
    args = models.TextField("arguments", default="[]", help_text="JSON")
    kwargs = models.TextField("keyword arguments", default="{}", help_text="JSON")
    executor = models.CharField(max_length=64, default="default")
    max_instances = models.PositiveIntegerField(default=1)
    timeout = models.FloatField(
        null=True, blank=True, help_text="seconds; enforced by the processes executor"
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
    """What people call a job: the name that somebody gave it, else its id.

    APScheduler names a job after its function, which several jobs may share.
    """
    function = func.partition(":")[2]
    return id if name in ("", function, function.rpartition(".")[2]) else name


POLICY_FIELDS: tuple[str, ...] = tuple(field.attname for field in Policies._meta.local_fields)
