"""The lease: one row, never deleted, so that its term only grows."""

from __future__ import annotations

from django.db import models


class Lease(models.Model):
    """Who may claim runs. Statements and argument: ``engine/leadership/lease.py``."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    project = models.CharField(max_length=255, default="")
    holder = models.UUIDField(null=True, help_text="id of a node; empty: free")
    term = models.BigIntegerField(default=0)
    beat = models.BigIntegerField(default=0)
    acquired_at = models.DateTimeField(null=True)
    renewed_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)
    resign_requested = models.BooleanField(default=False)
    paused_at = models.DateTimeField(null=True, help_text="since when no run is claimed")
    zone_rules = models.CharField(
        max_length=40,
        blank=True,
        default="",
        db_default="",
        help_text="fingerprint of the time zone rules by which the jobs are planned",
    )
    paused_by = models.CharField(max_length=150, blank=True, default="", db_default="")

    def __str__(self) -> str:
        return f"term {self.term}"
