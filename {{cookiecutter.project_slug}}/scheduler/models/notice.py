"""A notice: something that one process told people, so that the others need not."""

from __future__ import annotations

from django.db import models


class Notice(models.Model):
    """One thing to tell: a standing problem, or when the last mail was sent."""

    key = models.CharField(primary_key=True, max_length=64)
    at = models.DateTimeField()
    kind = models.CharField(max_length=20, blank=True, default="")
    job_id = models.CharField(max_length=255, blank=True, default="")
    text = models.TextField(blank=True, default="")
    told = models.BooleanField(default=False)

    def __str__(self) -> str:
        return f"{self.key} at {self.at:%Y-%m-%d %H:%M}"
