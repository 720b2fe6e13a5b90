"""The Celery app of a project, as the template bakes it."""

from __future__ import annotations

from celery import Celery
from scheduler.workers.celery import configure

app = Celery("tests")
app.config_from_object("django.conf:settings", namespace="CELERY")
configure(app)
