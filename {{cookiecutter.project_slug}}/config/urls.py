"""Addresses. ``/healthz`` and ``/readyz`` are answered earlier, by ``home.health``."""

from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.templatetags.static import static
from django.urls import URLPattern, URLResolver, include, path

admin.site.site_header = admin.site.site_title = settings.PROJECT_NAME


def icon(request: HttpRequest) -> HttpResponse:
    """Browsers ask for /favicon.ico on pages that name no icon, such as the admin's."""
    return redirect(static("home/icon.svg"))


toolbar: list[URLPattern | URLResolver] = []
if settings.DEBUG_TOOLBAR:
    from debug_toolbar.toolbar import debug_toolbar_urls

    toolbar = debug_toolbar_urls()

urlpatterns = [
    *toolbar,
    path(settings.ADMIN_URL, admin.site.urls),
    path("favicon.ico", icon),
    path("", include("home.urls")),
]
