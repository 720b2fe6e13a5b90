"""Puts ``SchedulerBackend`` in the place of the backends that Django's own task tests run against.

For the dummy backend, which only keeps what is enqueued, stands ours without a scheduler; for the
immediate one, ours with a scheduler that runs what is due at once. Where Django has no Tasks API,
the backport answers to its names.
"""

from __future__ import annotations

import os
import sys
from functools import cache

import django
import pytest

DUMMY = "django.tasks.backends.dummy.DummyBackend"
IMMEDIATE = "django.tasks.backends.immediate.ImmediateBackend"
# Some of their coroutines call methods that are not async, which reach the database here.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"


def _name_the_backport_django_tasks() -> None:
    import logging

    import django_tasks
    from django_tasks import base, exceptions, signals
    from django_tasks.backends import base as backend
    from django_tasks.backends import dummy, immediate

    exceptions.InvalidTask = exceptions.InvalidTaskError
    exceptions.InvalidTaskBackend = exceptions.InvalidTaskBackendError
    django_tasks.Task = base.Task
    modules = {"": django_tasks, ".base": base, ".exceptions": exceptions, ".signals": signals}
    modules |= {".backends": sys.modules["django_tasks.backends"], ".backends.base": backend}
    modules |= {".backends.dummy": dummy, ".backends.immediate": immediate}
    sys.modules.update({f"django.tasks{name}": module for name, module in modules.items()})
    logging.getLogger("django_tasks").parent = logging.getLogger("django.tasks")


def pytest_configure() -> None:
    if django.VERSION < (6, 0):
        _name_the_backport_django_tasks()


@cache
def _ours() -> dict[str, type]:
    from scheduler.models import Execution
    from scheduler.tasks import SchedulerBackend
    from scheduler.testing import run_due

    class Kept(SchedulerBackend):
        """With what the dummy backend has for tests."""

        @property
        def results(self):
            ids = Execution.objects.order_by("id").values_list("job_uid", flat=True)
            return [self.get_result(str(id)) for id in ids]

        def clear(self):
            Execution.objects.all().delete()

    class Immediate(SchedulerBackend):
        def enqueue(self, task, args, kwargs):
            result = super().enqueue(task, args, kwargs)
            run_due()
            result.refresh()
            return result

    return {DUMMY: Kept, IMMEDIATE: Immediate}


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items):
    ours = _ours()
    for item in items:
        item.cls.databases = {"default"}
        item.add_marker(pytest.mark.django_db)
        for path, backend in ours.items():
            if hasattr(item.module, name := path.rpartition(".")[2]):
                setattr(item.module, name, backend)


@pytest.fixture(autouse=True)
def ours_in_the_place_of_theirs(monkeypatch, django_db_setup, django_db_blocker):
    """For each case, with tables that it may fill."""
    from django.tasks import TaskBackendHandler
    from scheduler.models import Execution

    ours, create = _ours(), TaskBackendHandler.create_connection

    def create_connection(self, alias):
        params = self.settings[alias]
        if params["BACKEND"] not in ours:
            return create(self, alias)
        return ours[params["BACKEND"]](alias=alias, params=params)

    monkeypatch.setattr(TaskBackendHandler, "create_connection", create_connection)
    with django_db_blocker.unblock():
        yield
        Execution.objects.all().delete()
