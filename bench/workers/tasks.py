"""The tasks of ``bench.workers``: one that the scheduler runs, one for django-tasks-db alone."""

from __future__ import annotations

from django_tasks import task

from bench.workers.stamps import stamp


@task(queue_name="workers")
def ours() -> None:
    """Stamp, as a run of the executor ``workers``."""
    stamp()


@task(backend="workers", queue_name="scheduler")
def alone() -> None:
    """Stamp, as a task of django-tasks-db's own."""
    stamp()
