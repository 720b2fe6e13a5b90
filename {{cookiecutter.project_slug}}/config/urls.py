"""Addresses. ``/healthz`` and ``/readyz`` are answered earlier, by ``home.health``."""

from django.conf import settings
from django.contrib import admin
from django.urls import include, path

admin.site.site_header = admin.site.site_title = settings.PROJECT_NAME

urlpatterns = [
    path(settings.ADMIN_URL, admin.site.urls),
    path("", include("home.urls")),
]
