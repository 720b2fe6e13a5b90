"""Puts ``DjangoJobStore`` in the place of the stores that APScheduler's own tests run against."""

from __future__ import annotations

import pytest

NEEDS_PICKLE = "test_add_callable_instance_method_job"


@pytest.fixture
def djangojobstore(request, settings):
    from scheduler.jobstore import DjangoJobStore  # when Django is set up

    settings.APSCHEDULER_ALLOW_PICKLE = request.node.originalname == NEEDS_PICKLE
    store = DjangoJobStore()
    store.start(None, "django")
    yield store
    store.shutdown()


@pytest.hookimpl(tryfirst=True)
def pytest_generate_tests(metafunc):
    for name in ("jobstore", "persistent_jobstore"):
        for fixture in metafunc._arg2fixturedefs.get(name, ()):
            fixture.params, fixture.ids = ["djangojobstore"], ["django"]


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    for item in items:
        if "djangojobstore" in getattr(item, "callspec", item).__dict__.get("params", {}).values():
            item.add_marker(pytest.mark.django_db(transaction=True))
