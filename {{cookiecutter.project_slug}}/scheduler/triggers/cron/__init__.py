"""Cron: fields, crontab lines, and the wall clock across changes of it."""

from .trigger import CronTrigger, from_crontab

__all__ = ["CronTrigger", "from_crontab"]
