"""Whoever asks for a run while no scheduler lives is told that it waits."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest

from .. import scheduler
from ..engine.requests import START_ONE


def warn(request: HttpRequest) -> None:
    if not scheduler.running:
        messages.warning(request, f"It waits: no scheduler is alive. {START_ONE}")
