"""The landing page. Replace it with your own; nothing else depends on it."""

from __future__ import annotations

from django.conf import settings
from django.db.utils import Error as DatabaseError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from .board import read_board


def index(request: HttpRequest) -> HttpResponse:
    """What the scheduler does right now; hosts and process ids only for those who may know."""
    context = {
        "name": settings.PROJECT_NAME,
        "description": settings.PROJECT_DESCRIPTION,
        "insider": settings.DEBUG or request.user.is_staff,
    }
    try:
        context["board"] = read_board()
    except DatabaseError:
        return render(request, "home/unready.html", context, status=503)
    return render(request, "home/index.html", context)
