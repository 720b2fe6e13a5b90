"""An execution: claim, queue and history of one slot, complete in itself."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db import models, router
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from ..db.clock import db_now
from .announcing import Announcing, AnnouncingQuerySet
from .fields import KeyField
from .indexes import PartialIndex
from .job import Job
from .runspec import RunSpec, label, snapshot


class Status(models.TextChoices):
    """``queued`` was never started, so it is safe to start; all after ``running`` are final."""

    QUEUED = "queued", _("queued")
    RUNNING = "running", _("running")
    SUCCEEDED = "succeeded", _("succeeded")
    FAILED = "failed", _("failed")
    TIMED_OUT = "timed_out", _("timed out")
    MISSED = "missed", _("missed")  # its grace was over before anyone could run it
    SKIPPED = "skipped", _("skipped")  # coalesced away, or too many instances were running
    LOST = "lost", _("lost")  # the process that ran it is gone
    CANCELLED = "cancelled", _("cancelled")

    @property
    def english(self) -> str:
        """Return its word for logs and scripts, which are in no other language."""
        return self.value.replace("_", " ")


OPEN = (Status.QUEUED, Status.RUNNING)
WAITING = models.Q(status=Status.QUEUED, published_at__isnull=True)
"""Rows that the leader may start or publish."""
FINAL = tuple(status for status in Status if status not in OPEN)
PROBLEMS = (Status.FAILED, Status.TIMED_OUT, Status.LOST, Status.MISSED)
"""Outcomes that somebody looks into. A skipped run is none: its job's policy wants it skipped."""


OF_TASK = ("priority", "task_backend", "task_queue")
"""Columns that say how a task of Django's Tasks API was enqueued."""
OF_SLOT = ("job_id", "job_uid", "job_name", "scheduled_run_time", "requested_by", *OF_TASK)
"""Columns that every attempt at one slot repeats."""

TASK_PREFIX = "task:"
"""What the job id of a task's run begins with; its dotted path follows."""

DELETE_BATCH = 500
"""Rows that one statement deletes."""


class Kind(models.TextChoices):
    SCHEDULE = "schedule", pgettext_lazy("why a run is", "schedule")
    MANUAL = "manual", _("run now")
    RETRY = "retry", _("retry")
    TASK = "task", _("task")


class ExecutionQuerySet(AnnouncingQuerySet):
    def queued(self) -> ExecutionQuerySet:
        """Return the executions that wait to be started."""
        return self.filter(status=Status.QUEUED)

    def unclaimed(self) -> ExecutionQuerySet:
        """Return the executions that are published and that no worker has claimed yet."""
        return self.filter(status=Status.QUEUED, published_at__isnull=False)

    def running(self) -> ExecutionQuerySet:
        """Return the executions whose job function runs."""
        return self.filter(status=Status.RUNNING)

    def open(self) -> ExecutionQuerySet:
        """Return the executions that have not ended.

        As two equations: SQLite finds no partial index for an ``IN``.
        """
        return self.filter(models.Q(status=Status.QUEUED) | models.Q(status=Status.RUNNING))

    def finished(self) -> ExecutionQuerySet:
        """Return the executions with a final status."""
        return self.filter(status__in=FINAL)

    def ended_before(self, moment: datetime) -> ExecutionQuerySet:
        """Return the finished executions that ended before ``moment``, the oldest first."""
        return self.finished().filter(finished_at__lt=moment).order_by("finished_at")

    def delete_in_batches(self, size: int = DELETE_BATCH) -> int:
        """Delete the rows, ``size`` at a time, so that nobody waits long for their locks.

        No tally counts them first: whoever deletes what may not be counted yet does that.

        Returns:
            How many rows were deleted.
        """
        total = 0
        while ids := list(self.values_list("id", flat=True)[:size]):
            batch = self.model._base_manager.using(self.db).filter(id__in=ids)
            total += int(batch._raw_delete(self.db))
        return total


class ExecutionManager(models.Manager.from_queryset(ExecutionQuerySet)):  # type: ignore[misc]
    def delete_old_job_executions(self, max_age: float) -> int:
        """Delete finished executions older than ``max_age`` seconds, in small batches.

        Those of every job, so no query set has it: a filter before it would mean nothing.

        Returns:
            How many rows were deleted.
        """
        using = self._db or router.db_for_write(self.model)
        before = db_now(using) - timedelta(seconds=max_age)
        return self.using(using).ended_before(before).delete_in_batches()


class Execution(Announcing, RunSpec):
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
    # A manual run has no slot by which its attempts would be known.
    first_attempt = models.BigIntegerField(null=True, help_text="id of the attempt number 1")
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
    publication = models.PositiveIntegerField(
        default=0, db_default=0, help_text="how often it was published to the workers"
    )
    published_at = models.DateTimeField(
        null=True, blank=True, help_text="when it was published last; empty once it was taken back"
    )
    priority = models.SmallIntegerField(
        default=0, help_text="of what is due, higher ones start first"
    )
    task_backend = models.CharField(
        max_length=64, blank=True, default="", help_text="alias in TASKS; empty for a job"
    )
    task_queue = models.CharField(max_length=64, blank=True, default="")
    exception = models.TextField(blank=True, default="")
    exception_class = models.CharField(
        max_length=255, blank=True, default="", help_text="module.Class"
    )
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
            # An ending writes into every index of a row: what it can leave out is left out.
            PartialIndex(
                fields=["status", "due_at"],
                name="scheduler_execution_open",
                rows=models.Q(status=Status.QUEUED) | models.Q(status=Status.RUNNING),
            ),
            PartialIndex(
                fields=["status", "executor", "due_at", "id"],
                name="scheduler_execution_head",
                rows=WAITING,
            ),
            PartialIndex(
                fields=["status", "executor", "priority", "due_at", "id"],
                name="scheduler_execution_first",
                rows=WAITING,
            ),
            models.Index(fields=["job_id", "id"], name="scheduler_execution_by_job"),
            PartialIndex(
                fields=["status", "finished_at"],
                name="scheduler_execution_endings",
                rows=models.Q(finished_at__isnull=False),
            ),
            PartialIndex(
                fields=["finished_at"],
                name="scheduler_execution_ages",
                rows=models.Q(finished_at__isnull=False),
            ),
            PartialIndex(
                fields=["status", "published_at"],
                name="scheduler_execution_published",
                rows=models.Q(published_at__isnull=False),
            ),
        ]
        permissions = [("cancel_execution", "Can cancel an execution")]

    def __str__(self) -> str:
        return f"{self.job_id} #{self.pk}"

    @classmethod
    def for_job(cls, job: Job, **columns: Any) -> Execution:
        """Return a new, unsaved execution with a snapshot of the job.

        Args:
            columns: values that differ from the job's, and those of the execution's own columns.
        """
        own = {"job_id": job.id, "job_uid": job.uid, "job_name": job.name}
        return cls(**{**own, **snapshot(job), **columns})

    def next_attempt(self, **columns: Any) -> Execution:
        """Return a new, unsaved execution: the next attempt at the same slot, as it was defined.

        Args:
            columns: values of its other columns.
        """
        own = {name: getattr(self, name) for name in OF_SLOT} | {"attempt": self.attempt + 1}
        own["first_attempt"] = self.first_attempt or self.pk
        return type(self)(**{**own, **snapshot(self), "kind": Kind.RETRY, **columns})

    @property
    def label(self) -> str:
        """Return the display name of its job."""
        return label(self.job_id, self.job_name, self.func)

    @property
    def is_task(self) -> bool:
        """Return whether it is a run of a task, which has no job."""
        return bool(self.task_backend)

    @property
    def cancel_requested(self) -> bool:
        """Return whether somebody asked the run to stop."""
        return self.cancel_requested_at is not None

    @property
    def lag(self) -> timedelta | None:
        """Return the time from when it was due until its job function started."""
        return self.started_at - self.due_at if self.started_at else None

    @property
    def duration(self) -> timedelta | None:
        """Return the time from the start of its job function to its end."""
        if self.started_at and self.finished_at:
            return self.finished_at - self.started_at
        return None
