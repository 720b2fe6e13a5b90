"""Tasks of Django's Tasks API where a job names a function: ``@job`` and ``@task`` go together.

Imports no Tasks API, which a project on Django 5.2 need not have.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from functools import lru_cache, wraps
from typing import Any

MODULES = ("django.tasks.base", "django_tasks.base")
"""Where the class ``Task`` lies: in Django from 6.0 on, and in the backport."""


def is_task(found: Any) -> bool:
    """Return whether ``found`` is a task: an instance of a ``Task`` that somebody has imported."""
    # One thread may be importing the module while another asks: without its class, no task exists.
    classes = [getattr(sys.modules.get(name), "Task", None) for name in MODULES]
    return isinstance(found, tuple(filter(None, classes)))


def as_function(found: Any) -> Any:
    """Return the function of a task, as a job calls it; anything else as it is.

    The function of a task that takes its context has the attribute ``takes_context``: whoever
    calls it puts the context before the arguments, and its signature does not name it.
    """
    if not is_task(found):
        return found
    return _with_context(found.func) if found.takes_context else found.func


@lru_cache(maxsize=256)
def _with_context(func: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(func)
    def call(context: Any, *args: Any, **kwargs: Any) -> Any:
        return func(context, *args, **kwargs)

    signature = inspect.signature(func)
    own = list(signature.parameters.values())[1:]
    call.__dict__.update(__signature__=signature.replace(parameters=own), takes_context=True)
    return call
