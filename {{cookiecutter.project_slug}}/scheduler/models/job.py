"""A job: what to call, when, and how."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from django.db import models
from django.db.models import Case, F, Q, Value, When
from django.utils.translation import gettext_lazy as _

from .announcing import Announcing, AnnouncingQuerySet
from .fields import KeyField
from .indexes import PartialIndex
from .runspec import RunSpec, label


class JobState(models.TextChoices):
    """Only an active job falls due; the others keep their row, and say why they rest."""

    ACTIVE = "active", _("active")
    PAUSED = "paused", _("paused")  # by somebody
    FINISHED = "finished", _("finished")  # a declared job whose trigger has no further time
    QUARANTINED = "quarantined", _("quarantined")  # its definition cannot be loaded: last_error
    RETIRED = "retired", _("retired")  # its declaration vanished from the code


class JobQuerySet(AnnouncingQuerySet):
    def due(self, now: Any) -> JobQuerySet:
        """Return the active jobs whose next run time has come."""
        return self.filter(state=JobState.ACTIVE, next_run_time__lte=now)

    def rescheduled(self) -> JobQuerySet:
        """Return the jobs whose trigger was changed by something that computed no next run time."""
        return self.filter(rescheduled=1)


class Job(Announcing, RunSpec):
    """One scheduled job. The row holds what APScheduler's ``Job`` holds, readable."""

    id = KeyField(primary_key=True, max_length=255)
    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    name = models.CharField(max_length=255, blank=True)
    trigger = models.TextField(help_text="JSON")
    planned_trigger = models.TextField(
        editable=False, help_text="the trigger that next_run_time was computed from"
    )
    rescheduled = models.GeneratedField(
        expression=Case(When(trigger=F("planned_trigger"), then=Value(0)), default=Value(1)),
        # A number, not a boolean: without statistics PostgreSQL takes half of all rows to be true,
        # and reads the whole table rather than the index.
        output_field=models.PositiveSmallIntegerField(),
        db_persist=True,
        help_text="1 while planned_trigger is another trigger",
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
        indexes = [
            models.Index(fields=["state", "next_run_time"], name="scheduler_job_due"),
            PartialIndex(
                fields=["rescheduled", "id"],
                rows=Q(rescheduled=1),
                name="scheduler_job_rescheduled",
            ),
        ]
        permissions = [("run_job", "Can run a job now"), ("pause_job", "Can pause and resume jobs")]

    def __str__(self) -> str:
        return self.label

    @property
    def label(self) -> str:
        """Return what people call the job: the name that somebody gave it, else its id."""
        return label(self.id, self.name, self.func)

    @property
    def next_due(self) -> datetime | None:
        """Return when the job is due next; None while it rests."""
        return self.next_run_time if self.state == JobState.ACTIVE else None

    @property
    def can_run(self) -> bool:
        """Return whether a run may be requested: a paused or finished job can run."""
        return self.state not in (JobState.QUARANTINED, JobState.RETIRED)
