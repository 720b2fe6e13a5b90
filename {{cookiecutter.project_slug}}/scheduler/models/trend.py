"""What ended in an hour or a day: trends outlive the executions that they were counted from."""

from __future__ import annotations

from django.db import models

from .fields import KeyField


class Span(models.TextChoices):
    """What a row adds up. Days and hours are those of UTC."""

    HOUR = "hour", "all jobs, by hour"
    JOB_HOUR = "job_hour", "one job, by hour"
    JOB_DAY = "job_day", "one job, by day"


class Trend(models.Model):
    """How the runs that ended within one hour or day add up, of one job or of all."""

    id = models.BigAutoField(primary_key=True)
    span = models.CharField(max_length=8, choices=Span)
    job_id = KeyField(max_length=255, help_text="empty: all jobs, or all one-off jobs together")
    start = models.DateTimeField()
    # By outcome, as the statuses are called. A stretch counts all its fire times.
    succeeded = models.PositiveIntegerField(default=0)
    failed = models.PositiveIntegerField(default=0)
    timed_out = models.PositiveIntegerField(default=0)
    missed = models.PositiveIntegerField(default=0)
    skipped = models.PositiveIntegerField(default=0)
    lost = models.PositiveIntegerField(default=0)
    cancelled = models.PositiveIntegerField(default=0)
    ran = models.PositiveIntegerField(default=0, help_text="runs that started and ended")
    run_seconds = models.FloatField(default=0.0)
    longest = models.FloatField(default=0.0, help_text="seconds")
    run_buckets = models.TextField(default="{}", help_text="JSON: number of runs by duration")
    lag_buckets = models.TextField(default="{}", help_text="JSON: number of runs by start lag")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["span", "job_id", "start"], name="scheduler_trend_one")
        ]
        indexes = [models.Index(fields=["span", "start"], name="scheduler_trend_by_time")]

    def __str__(self) -> str:
        return f"{self.job_id} {self.span} {self.start}"
