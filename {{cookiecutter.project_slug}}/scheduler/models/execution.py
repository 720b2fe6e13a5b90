"""An execution: claim, queue and history of one slot, complete in itself."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db import models, router

from .announcing import Announcing, AnnouncingQuerySet
from .fields import KeyField
from .policies import Policies, label


class Status(models.TextChoices):
    """``queued`` was never started, so it is safe to start; all after ``running`` are final."""

    QUEUED = "queued", "queued"
    RUNNING = "running", "running"
    SUCCEEDED = "succeeded", "succeeded"
    FAILED = "failed", "failed"
    TIMED_OUT = "timed_out", "timed out"
    MISSED = "missed", "missed"  # its grace was over before anyone could run it
    SKIPPED = "skipped", "skipped"  # coalesced away, or too many instances were running
    LOST = "lost", "lost"  # the process that ran it is gone
    CANCELLED = "cancelled", "cancelled"


OPEN = (Status.QUEUED, Status.RUNNING)
FINAL = tuple(status for status in Status if status not in OPEN)


class Kind(models.TextChoices):
    SCHEDULE = "schedule", "schedule"
    MANUAL = "manual", "run now"
    RETRY = "retry", "retry"


class ExecutionQuerySet(AnnouncingQuerySet):
    def queued(self) -> ExecutionQuerySet:
        return self.filter(status=Status.QUEUED)

    def running(self) -> ExecutionQuerySet:
        return self.filter(status=Status.RUNNING)

    def finished(self) -> ExecutionQuerySet:
        return self.filter(status__in=FINAL)


class ExecutionManager(models.Manager.from_queryset(ExecutionQuerySet)):  # type: ignore[misc]
    def delete_old_job_executions(self, max_age: float) -> int:
        """Delete finished executions older than ``max_age`` seconds, in small batches.

        Those of every job, so no query set has it: a filter before it would mean nothing.

        Returns:
            How many rows were deleted.
        """
        from ..engine.retention import delete_older_than

        using = self._db or router.db_for_write(self.model)
        return delete_older_than(timedelta(seconds=max_age), using=using)


class Execution(Announcing, Policies):
    """One attempt at one slot, or a stretch of slots that share one reason for not running."""

    id = models.BigAutoField(primary_key=True)
    # No foreign key: history outlives the job.
    job_id = KeyField(max_length=255)
    job_uid = models.UUIDField()
    job_name = models.CharField(max_length=255, blank=True)
    # Null for a manual run, which therefore never collides with a slot.
    scheduled_run_time = models.DateTimeField(null=True, blank=True)
    last_run_time = models.DateTimeField(
        null=True, blank=True, help_text="last slot of a stretch; empty for a single slot"
    )
    slots = models.PositiveIntegerField(default=1, help_text="how many slots the row stands for")
    attempt = models.PositiveIntegerField(default=1)
    kind = models.CharField(max_length=8, choices=Kind, default=Kind.SCHEDULE)
    status = models.CharField(max_length=10, choices=Status, default=Status.QUEUED)
    reason = models.TextField(blank=True, default="")
    due_at = models.DateTimeField()
    queued_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    cancel_requested_at = models.DateTimeField(null=True, blank=True)
    term = models.BigIntegerField(null=True, blank=True)
    node_id = models.UUIDField(null=True, blank=True)
    requested_by = models.CharField(max_length=150, blank=True, default="")
    exception = models.TextField(blank=True, default="")
    traceback = models.TextField(blank=True, default="")
    log = models.TextField(blank=True, default="")
    return_value = models.TextField(blank=True, default="", help_text="JSON")

    objects: Any = ExecutionManager()

    # django-apscheduler's names of the outcomes.
    SENT, SUCCESS, ERROR = Status.RUNNING, Status.SUCCEEDED, Status.FAILED
    MISSED, MAX_INSTANCES = Status.MISSED, Status.SKIPPED

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["job_uid", "scheduled_run_time", "attempt"],
                name="scheduler_execution_one_per_slot",
            )
        ]
        indexes = [
            models.Index(fields=["status", "due_at"], name="scheduler_execution_queue"),
            models.Index(fields=["job_id", "id"], name="scheduler_execution_by_job"),
            models.Index(fields=["status", "finished_at"], name="scheduler_execution_ended"),
            models.Index(fields=["finished_at"], name="scheduler_execution_age"),
        ]
        permissions = [("cancel_execution", "Can cancel an execution")]

    def __str__(self) -> str:
        return f"{self.job_id} #{self.pk}"

    @property
    def label(self) -> str:
        """Its job's."""
        return label(self.job_id, self.job_name, self.func)

    @property
    def lag(self) -> timedelta | None:
        """From the moment it was due to the moment its body started."""
        return self.started_at - self.due_at if self.started_at else None

    @property
    def duration(self) -> timedelta | None:
        """From the start of its body to its end."""
        if self.started_at and self.finished_at:
            return self.finished_at - self.started_at
        return None
