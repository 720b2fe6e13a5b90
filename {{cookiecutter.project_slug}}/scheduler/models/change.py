"""A change of a job's definition: who, when, before, after. The audit recomputes from these."""

from __future__ import annotations

from django.db import models

from .fields import KeyField


class Action(models.TextChoices):
    ADDED = "added", "added"
    CHANGED = "changed", "changed"
    PAUSED = "paused", "paused"
    RESUMED = "resumed", "resumed"
    REMOVED = "removed", "removed"
    RETIRED = "retired", "retired"
    QUARANTINED = "quarantined", "quarantined"
    RELEASED = "released", "released from quarantine"


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
