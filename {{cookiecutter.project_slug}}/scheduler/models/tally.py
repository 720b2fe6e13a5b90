"""Runs counted for good: a counter must not fall when retention deletes what it counted."""

from __future__ import annotations

from django.db import models

from .fields import KeyField


class Tally(models.Model):
    """How one job's runs with one outcome add up, over the executions up to the mark."""

    id = models.BigAutoField(primary_key=True)
    job_id = KeyField(max_length=255, help_text="empty: all one-off jobs together")
    status = models.CharField(max_length=10)
    runs = models.BigIntegerField(default=0)
    run_seconds = models.FloatField(default=0.0)
    lag_seconds = models.FloatField(default=0.0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["job_id", "status"], name="scheduler_tally_one")
        ]

    def __str__(self) -> str:
        return f"{self.job_id} {self.status}: {self.runs}"


class TallyMark(models.Model):
    """One row: every execution up to this id is counted, or noted as open."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    counted_up_to = models.BigIntegerField(default=0)
    complete_at = models.DateTimeField(
        null=True, help_text="when last nothing that had ended a minute ago was left to count"
    )

    def __str__(self) -> str:
        return f"up to {self.counted_up_to}"


class TallyOpen(models.Model):
    """An execution below the mark that had not ended when the mark passed it.

    It is counted when it has. So a run that takes a day does not hold up the counting of others.
    """

    execution_id = models.BigIntegerField(primary_key=True)

    def __str__(self) -> str:
        return f"#{self.execution_id}"
