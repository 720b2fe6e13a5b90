"""A node: one scheduler process, leader or standby."""

from __future__ import annotations

import uuid
from datetime import datetime

from django.db import models


class Role(models.TextChoices):
    LEADER = "leader", "leader"
    STANDBY = "standby", "standby"
    DRAINING = "draining", "draining"
    STOPPED = "stopped", "stopped"


class Node(models.Model):
    """Identity (random per process start) and sign of life. It owns the runs that it started."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    role = models.CharField(max_length=8, choices=Role, default=Role.STANDBY)
    host = models.CharField(max_length=255, blank=True)
    pid = models.PositiveIntegerField(default=0)
    # Boot, PID namespace, pid and start time together name a process beyond doubt, on its own host.
    pid_start = models.CharField(max_length=32, blank=True, default="")
    boot_id = models.CharField(max_length=64, blank=True, default="")
    pid_ns = models.CharField(max_length=64, blank=True, default="")
    wake_mode = models.CharField(max_length=8, blank=True, default="")  # "notify" or "poll"
    started_at = models.DateTimeField()
    beat = models.BigIntegerField(default=0)
    beat_at = models.DateTimeField()
    ttl = models.FloatField(help_text="seconds without a beat after which it is dead")
    error = models.TextField(blank=True, default="", help_text="what the loop last stumbled over")
    # What the loop measures of itself: engine/vitals.py.
    renew_seconds = models.FloatField(null=True)
    loop_lag_seconds = models.FloatField(null=True)
    wake_latency_seconds = models.FloatField(null=True)

    class Meta:
        ordering = ["started_at"]

    def __str__(self) -> str:
        return f"{self.host}:{self.pid}"

    def is_alive(self, now: datetime) -> bool:
        """By the database's clock, as pages tell it; no run is taken away for it."""
        silent = (now - self.beat_at).total_seconds()
        return self.role != Role.STOPPED and silent <= self.ttl
