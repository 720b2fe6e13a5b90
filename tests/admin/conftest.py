"""An app with jobs, and rows made from them."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def shop(settings) -> Iterator[None]:
    """The demo app is installed; what it declares is forgotten afterwards."""
    from scheduler.definitions import declarations

    declared = list(declarations._declared)
    settings.INSTALLED_APPS = [*settings.INSTALLED_APPS, "tests.demo_app"]
    sys.modules.pop("tests.demo_app.jobs", None)
    yield
    declarations._declared[:] = declared
    sys.modules.pop("tests.demo_app.jobs", None)


@pytest.fixture
def declared(db):
    """The demo app's declared jobs as rows, as a leader brings them in."""
    from scheduler.engine.maintenance.sync import sync
    from scheduler.models import Job

    sync("default")
    return {job.pk: job for job in Job.objects.all()}
