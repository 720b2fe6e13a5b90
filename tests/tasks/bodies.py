"""Tasks that the tests enqueue."""

from __future__ import annotations

from typing import Any

import django

if django.VERSION >= (6, 0):
    from django.tasks import task
else:
    from django_tasks import task

calls: list[Any] = []


@task
def add(a: int, b: int = 0) -> int:
    return a + b


@task
def note(value: Any) -> None:
    calls.append(value)


@task
async def later() -> str:
    return "later"


@task
def fail(text: str) -> None:
    raise LookupError(text)


@task
async def fail_later() -> None:
    raise ValueError("an async task failed")


@task
def give_object() -> Any:
    return object()


@task(takes_context=True)
def attempt(context: Any) -> list[Any]:
    if context.attempt < 2:
        raise RuntimeError("the first attempt fails")
    return [context.attempt, context.task_result.id, len(context.task_result.worker_ids)]


@task(takes_context=True)
def own_id(context: Any, suffix: str = "") -> str:
    return str(context.task_result.id) + suffix


@task
def die() -> None:
    import os
    import signal

    os.kill(os.getpid(), signal.SIGKILL)


def plain() -> None:
    """Not decorated."""
