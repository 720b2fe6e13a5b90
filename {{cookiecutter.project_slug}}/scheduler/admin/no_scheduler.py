"""A warning for those who ask for a run while no scheduler process is running."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest
from django.utils.translation import gettext as _

from .. import scheduler


def warn(request: HttpRequest) -> None:
    """Warn that the run stays queued, unless a scheduler process is running."""
    if not scheduler.running:
        told = _(
            "Queued. No scheduler process is running. Start one with: manage.py runapscheduler"
        )
        messages.warning(request, told)
