"""A change of a job's definition: who, when, before, after. The audit recomputes from these."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from .fields import KeyField


class Action(models.TextChoices):
    ADDED = "added", _("added")
    CHANGED = "changed", _("changed")
    PAUSED = "paused", _("paused")
    RESUMED = "resumed", _("resumed")
    REMOVED = "removed", _("removed")
    RETIRED = "retired", _("retired")
    QUARANTINED = "quarantined", _("quarantined")
    RELEASED = "released", _("released from quarantine")
    MOVED = "moved", _("moved by new time zone rules")


class Change(models.Model):
    """``before`` and ``after``: JSON objects of the columns that differ, ``{}`` for no row."""

    id = models.BigAutoField(primary_key=True)
    job_id = KeyField(max_length=255)
    job_uid = models.UUIDField()
    action = models.CharField(max_length=12, choices=Action)
    at = models.DateTimeField()
    by = models.CharField(max_length=150, blank=True, default="")
    before = models.TextField(default="{}")
    after = models.TextField(default="{}")

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["job_uid", "id"], name="scheduler_change_by_job"),
            models.Index(fields=["at"], name="scheduler_change_age"),
        ]

    def __str__(self) -> str:
        return f"{self.job_id} {self.action}"
