"""A term: one stretch of leadership, kept so that fail-overs can be counted and measured."""

from __future__ import annotations

from django.db import models


class Cause(models.TextChoices):
    """Why the lease could be taken."""

    FIRST = "first", "first start"
    RELEASED = "released", "handed over"
    EXPIRED = "expired", "expired"
    PROCESS_GONE = "gone", "process gone on this host"
    UNCHANGED = "silent", "no renewal seen"


class Term(models.Model):
    term = models.BigIntegerField(primary_key=True)
    node_id = models.UUIDField()
    host = models.CharField(max_length=255, blank=True)
    pid = models.PositiveIntegerField(default=0)
    cause = models.CharField(max_length=8, choices=Cause)
    acquired_at = models.DateTimeField()
    gap = models.FloatField(
        null=True, help_text="seconds since the last sign of life of the holder before"
    )
    ended_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-term"]

    def __str__(self) -> str:
        return f"term {self.term}"
