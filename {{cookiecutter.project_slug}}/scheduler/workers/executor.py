"""The ``workers`` executor of a scheduler process, as ``APSCHEDULER_WORKERS`` says."""

from __future__ import annotations

from apscheduler.executors.base import BaseExecutor
from django.core.exceptions import ImproperlyConfigured

from ..conf import WORKERS, conf
from ..engine.executors.processes import ProcessExecutor
from ..engine.executors.remote import Broker, RemoteExecutor


def workers_executor() -> BaseExecutor:
    """Return what publishes runs to the workers; without any, a pool of processes.

    So a job that says ``executor="workers"`` runs the same way, on this machine.

    Raises:
        ImproperlyConfigured: the setting names nothing that is known, or installed.
    """
    return RemoteExecutor(_broker()) if conf().WORKERS else ProcessExecutor(conf().PROCESSES)


def _broker() -> Broker:
    chosen = conf().WORKERS
    if chosen not in WORKERS:
        known = ", ".join(map(repr, WORKERS))
        raise ImproperlyConfigured(f"APSCHEDULER_WORKERS is {chosen!r}; known are {known}")
    try:
        if chosen == "celery":
            from .celery import CeleryBroker

            return CeleryBroker()
        from .django_tasks import TasksBroker

        return TasksBroker()
    except ImportError as error:
        raise ImproperlyConfigured(
            f"APSCHEDULER_WORKERS is {chosen!r}, and a package is missing: {error}"
        ) from error
