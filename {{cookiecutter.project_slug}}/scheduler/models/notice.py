"""A notice: something of which one process told somebody, so that the others need not."""

from __future__ import annotations

from django.db import models


class Notice(models.Model):
    key = models.CharField(primary_key=True, max_length=64)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.key} at {self.at:%Y-%m-%d %H:%M}"
