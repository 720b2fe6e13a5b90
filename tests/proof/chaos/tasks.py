"""Tasks under chaos: bodies like those of the jobs, enqueued by ``@task``."""

from __future__ import annotations

import time

import django

from .record import write

if django.VERSION >= (6, 0):
    from django.tasks import task
else:
    from django_tasks import task


@task
def once(number: int) -> int:
    write("start")
    write("end")
    return number


@task
def work(seconds: float) -> None:
    """Lasts long enough to be running when its process is killed."""
    write("start")
    time.sleep(seconds)
    write("end")
