"""A node: one scheduler process, leader or standby, or one process of a worker."""

from __future__ import annotations

import uuid

from django.db import models
from django.utils.translation import gettext_lazy as _


class Role(models.TextChoices):
    LEADER = "leader", _("leader")
    STANDBY = "standby", _("standby")
    DRAINING = "draining", _("draining")
    STOPPED = "stopped", _("stopped")
    WORKER = "worker", _("worker")  # runs what is published, and never leads


WAKES_BY_MESSAGE = "message"
"""``wake_mode`` of a worker, also once it has stopped."""


class Node(models.Model):
    """Identity (random per process start) and heartbeat. It owns the runs that it started."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    role = models.CharField(max_length=8, choices=Role, default=Role.STANDBY)
    host = models.CharField(max_length=255, blank=True)
    pid = models.PositiveIntegerField(default=0)
    # Boot, PID namespace, pid and start time together name a process beyond doubt, on its own host.
    pid_start = models.CharField(max_length=32, blank=True, default="")
    boot_id = models.CharField(max_length=64, blank=True, default="")
    pid_ns = models.CharField(max_length=64, blank=True, default="")
    wake_mode = models.CharField(max_length=8, blank=True, default="")  # notify, poll, message
    started_at = models.DateTimeField()
    beat = models.BigIntegerField(default=0)
    beat_at = models.DateTimeField()
    ttl = models.FloatField(help_text="seconds without a beat after which it is dead")
    error = models.TextField(blank=True, default="", help_text="what the loop last stumbled over")
    # What the loop measures of itself: ProcessMetrics in engine/leadership/node.py.
    renew_seconds = models.FloatField(null=True)
    loop_lag_seconds = models.FloatField(null=True)
    wake_latency_seconds = models.FloatField(null=True)
    busy_workers = models.PositiveIntegerField(null=True)
    workers = models.PositiveIntegerField(null=True)
    publish_error = models.CharField(
        max_length=500, blank=True, default="", db_default="", help_text="why nothing is published"
    )
    code = models.CharField(
        max_length=16, blank=True, default="", db_default="", help_text="digest of its code"
    )

    class Meta:
        ordering = ["started_at"]

    def __str__(self) -> str:
        return f"{self.host}:{self.pid}"

    @property
    def is_worker(self) -> bool:
        """Return whether it is a worker, running or stopped, and no scheduler."""
        return self.wake_mode == WAKES_BY_MESSAGE
