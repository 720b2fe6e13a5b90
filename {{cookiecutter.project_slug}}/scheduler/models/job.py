"""A job: what to call, when, and how."""

from __future__ import annotations

import uuid
from typing import Any

from django.db import models
from django.db.models import F

from .announcing import Announcing, AnnouncingQuerySet
from .fields import KeyField
from .policies import Policies, label


class JobState(models.TextChoices):
    """Only an active job falls due; the others keep their row, and say why they rest."""

    ACTIVE = "active", "active"
    PAUSED = "paused", "paused"  # by somebody
    FINISHED = "finished", "finished"  # a declared job whose trigger has no further time
    QUARANTINED = "quarantined", "quarantined"  # its definition cannot be loaded: last_error
    RETIRED = "retired", "retired"  # its declaration vanished from the code


class JobQuerySet(AnnouncingQuerySet):
    def due(self, now: Any) -> JobQuerySet:
        return self.filter(state=JobState.ACTIVE, next_run_time__lte=now)

    def rescheduled(self) -> JobQuerySet:
        """Jobs whose trigger was changed by something that did not compute a next run time."""
        return self.exclude(trigger=F("planned_trigger"))


class Job(Announcing, Policies):
    """One scheduled job. The row holds what APScheduler's ``Job`` holds, readable."""

    id = KeyField(primary_key=True, max_length=255)
    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    name = models.CharField(max_length=255, blank=True)
    trigger = models.TextField(help_text="JSON")
    planned_trigger = models.TextField(
        editable=False, help_text="the trigger that next_run_time was computed from"
    )
    coalesce = models.BooleanField(default=True)
    misfire_grace_time = models.PositiveIntegerField(
        null=True, blank=True, help_text="seconds; empty: however late"
    )
    next_run_time = models.DateTimeField(null=True, blank=True)
    state = models.CharField(max_length=12, choices=JobState, default=JobState.ACTIVE)
    last_error = models.TextField(blank=True, default="")
    declared = models.BooleanField(default=False, editable=False)
    declaration_digest = models.CharField(max_length=64, blank=True, default="", editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = JobQuerySet.as_manager()

    class Meta:
        ordering = ["id"]
        indexes = [models.Index(fields=["state", "next_run_time"], name="scheduler_job_due")]
        permissions = [("run_job", "Can run a job now"), ("pause_job", "Can pause and resume jobs")]

    def __str__(self) -> str:
        return self.label

    @property
    def label(self) -> str:
        return label(self.id, self.name, self.func)
