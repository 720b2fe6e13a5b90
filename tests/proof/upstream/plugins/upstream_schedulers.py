"""Puts ``DjangoScheduler`` in the place of the schedulers that APScheduler's own tests make.

Their jobs are lambdas, which no database holds: the default job store is one in memory, which
``DjangoScheduler`` serves too.
"""

from __future__ import annotations

from unittest.mock import MagicMock

import pytest


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items):
    for item in items:
        if item.cls.__name__ == "TestBlockingScheduler":
            item.add_marker(pytest.mark.django_db(transaction=True))
        else:
            item.add_marker(pytest.mark.django_db)
        item.module.DummyScheduler = _without_loop()
        # They wait one second, after which their fixture joins a thread that nobody shuts down.
        item.module.SchedulerImplementationTestBase.wait_event = _patiently


@pytest.fixture(autouse=True)
def in_the_place_of_blocking_scheduler(request, monkeypatch):
    if request.cls.__name__ == "TestBlockingScheduler":
        monkeypatch.setattr("apscheduler.schedulers.blocking.BlockingScheduler", _with_loop())


def _patiently(self, queue):
    return queue.get(True, 60)


def _with_loop():
    from apscheduler.jobstores.memory import MemoryJobStore
    from apscheduler.schedulers import base
    from django.db import connections
    from scheduler.schedulers.blocking import DjangoScheduler

    class InMemory(DjangoScheduler):
        def start(self, paused=False):
            try:
                super().start(paused)
            finally:  # its thread ends, and a connection left open keeps the database
                connections.close_all()

        def _create_default_jobstore(self):
            return MemoryJobStore()

        def _configure(self, config):  # their zone is the host's, ours the project's
            given = "timezone" in config
            super()._configure(config)
            self.timezone = self.timezone if given else base.get_localzone()

    return InMemory


def _without_loop():
    """Their ``DummyScheduler``: APScheduler's methods as ours override them, no process."""
    from apscheduler.schedulers.base import BaseScheduler

    class Dummy(_with_loop()):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            self.wakeup = MagicMock()

        def start(self, paused=False):
            BaseScheduler.start(self, paused)

        def shutdown(self, wait=True):
            BaseScheduler.shutdown(self, wait)

        def _process_jobs(self):
            return BaseScheduler._process_jobs(self)

    return Dummy
