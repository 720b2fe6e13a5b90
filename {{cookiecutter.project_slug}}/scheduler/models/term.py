"""A term: one stretch of leadership, kept so that fail-overs can be counted and measured."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class Cause(models.TextChoices):
    """Why the lease could be taken."""

    FIRST = "first", _("first start")
    RELEASED = "released", _("handed over")
    EXPIRED = "expired", _("expired")
    PROCESS_GONE = "gone", _("process gone on this host")
    UNCHANGED = "silent", _("no renewal seen")


class Term(models.Model):
    term = models.BigIntegerField(primary_key=True)
    node_id = models.UUIDField()
    host = models.CharField(max_length=255, blank=True)
    pid = models.PositiveIntegerField(default=0)
    cause = models.CharField(max_length=8, choices=Cause)
    acquired_at = models.DateTimeField()
    gap = models.FloatField(
        null=True, help_text="seconds since the last heartbeat of the leader before"
    )
    ended_at = models.DateTimeField(null=True)
    code = models.CharField(
        max_length=16, blank=True, default="", db_default="", help_text="digest of its code"
    )

    class Meta:
        ordering = ["-term"]

    def __str__(self) -> str:
        return f"term {self.term}"
