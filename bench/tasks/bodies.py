"""The tasks that every backend runs."""

from __future__ import annotations

import json
import os
import time

import django

if django.VERSION >= (6, 0):
    from django.tasks import task
else:
    from django_tasks import task


@task
def noop(number: int) -> None:
    """Do nothing: what is measured is all around it."""


@task
def noted(number: int) -> None:
    """Say to a file that it began and that it ended: no rollback takes that away."""
    _note("start", number)
    time.sleep(0.02)
    _note("end", number)


def _note(event: str, number: int) -> None:
    file = os.open(os.environ["BENCH_TASKS_NOTES"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        os.write(file, (json.dumps([event, number]) + "\n").encode())
    finally:
        os.close(file)
