"""Tags and filters of the scheduler's admin pages; none in a project without Django's admin."""

from __future__ import annotations

from django import template
from django.apps import apps

# Django's system checks import the tags of every installed app before any command runs.
if apps.is_installed("django.contrib.admin"):
    from ..admin.tags import register
else:
    register = template.Library()

__all__ = ["register"]
