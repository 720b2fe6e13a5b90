"""``@job``: jobs that the code declares. The leader writes them to the rows.

Imports no model, so that a module can declare jobs before the apps are ready.
"""

from __future__ import annotations

import importlib
import logging
import re
import traceback
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, TypeVar

from apscheduler.triggers.base import BaseTrigger
from django.apps import apps
from django.utils.module_loading import module_has_submodule

from ..conf import conf
from . import references
from .options import (
    POLICY_DEFAULTS,
    POLICY_NAMES,
    check_id,
    check_limits,
    check_policies,
    check_timeout,
    known_executor,
    make_trigger,
)
from .task_functions import as_function

logger = logging.getLogger("scheduler.declarations")

Function = TypeVar("Function", bound=Callable[..., Any])

errors: dict[str, str] = {}
"""App label to traceback, for each app whose ``jobs.py`` could not be imported."""


@dataclass(frozen=True)
class Declaration:
    """One ``@job``: a function, when it runs, and how."""

    func: Callable[..., Any]
    trigger: BaseTrigger
    explicit_id: str | None
    options: dict[str, Any] = field(repr=False)
    at: datetime = field(repr=False)

    @cached_property
    def id(self) -> str:
        """Return the id that was given, or ``app_label.function``."""
        if self.explicit_id:
            return self.explicit_id
        app = apps.get_containing_app_config(self.func.__module__)
        label = app.label if app else self.func.__module__.partition(".")[0]
        return f"{label}.{self.func.__qualname__}"

    @property
    def ref(self) -> str:
        return f"{self.func.__module__}:{self.func.__qualname__}"


_declared: list[Declaration] = []


def job(
    trigger: Any,
    *,
    id: str | None = None,
    name: str | None = None,
    args: Iterable[Any] | None = None,
    kwargs: Mapping[str, Any] | None = None,
    executor: str = "default",
    **options: Any,
) -> Callable[[Function], Function]:
    """Declare that a scheduler is to run the function; the function itself stays as it is.

    Args:
        trigger: a kind ("date", "interval", "cron", "calendarinterval"), with its arguments among
            ``options``; a crontab line ("0 3 * * *", "@daily"); or a trigger.
        id: ``app_label.function`` if not given. Whoever changes it makes another job.
        options: ``coalesce``, ``max_instances``, ``misfire_grace_time`` (seconds),
            ``timeout`` (seconds; only with ``executor="processes"``), ``warn_after`` (seconds),
            ``max_retries``, ``retry_delay`` (seconds), ``on_lost`` ("fail" or "retry"),
            ``sensitive``; the rest is the trigger's.

    Raises:
        TriggerError, TypeError, ValueError: at once, where the module is imported.
    """
    if callable(trigger) and not isinstance(trigger, BaseTrigger):
        name = getattr(trigger, "__name__", "the function")
        raise TypeError(f'@job needs a schedule: write @job("interval", minutes=5) above {name}')
    check_timeout(options.get("timeout"), executor)
    if id is not None:
        check_id(id)
    chosen = _chosen(options) | {
        "name": name,
        "args": tuple(args or ()),
        "kwargs": dict(kwargs or {}),
        "executor": known_executor(executor),
    }
    made = make_trigger(trigger, options)

    def declare(func: Function) -> Function:
        references.ref(func)  # raises if no row can name it
        references.check_runnable(as_function(func))
        _add(Declaration(as_function(func), made, id, chosen, datetime.now(UTC)))
        return func

    return declare


def registered() -> dict[str, Declaration]:
    """Return every declaration by its id."""
    return {declaration.id: declaration for declaration in _declared}


def autodiscover() -> None:
    """Import ``jobs.py`` of every installed app. One that fails is kept in ``errors``."""
    for app in apps.get_app_configs():
        if app.module is None or not module_has_submodule(app.module, "jobs"):
            continue
        try:
            importlib.import_module(f"{app.name}.jobs")
            errors.pop(app.label, None)
        except Exception as error:
            known, errors[app.label] = errors.get(app.label), traceback.format_exc()
            if known != errors[app.label]:  # pages and each term look again
                where = place_of(errors[app.label], f"{app.name}.jobs")
                logger.exception(
                    "The jobs of app %r are left as they are: %s%s: %s",
                    app.label, where, type(error).__name__, " ".join(str(error).split()),
                )  # fmt: skip


def place_of(text: str, module: str) -> str:
    """Return file and line of the last frame of a traceback in a module; empty if there is none."""
    file = re.escape(module.replace(".", "/"))
    frames = re.findall(
        rf'^  File "([^"]*{file}(?:/__init__)?\.py)", line (\d+)', text, re.MULTILINE
    )
    return f"{frames[-1][0]}, line {frames[-1][1]}: " if frames else ""


def _chosen(options: dict[str, Any]) -> dict[str, Any]:
    """Take what is not the trigger's out of ``options``; what is not said has its default."""
    defaults = {
        "coalesce": True,
        "max_instances": 1,
        "misfire_grace_time": None,
        **POLICY_DEFAULTS,
        **conf().JOB_DEFAULTS,
    }
    chosen = {option: options.pop(option, default) for option, default in defaults.items()}
    check_limits(chosen)
    check_policies({option: chosen[option] for option in POLICY_NAMES})
    return chosen


def _add(declaration: Declaration) -> None:
    if apps.ready:
        _replace(declaration)
    _declared.append(declaration)


def _replace(declaration: Declaration) -> None:
    """Replace what the same module declared before; two functions under one id are a mistake."""
    for other in [other for other in _declared if other.id == declaration.id]:
        if other.ref != declaration.ref or other.func is declaration.func:
            raise ValueError(
                f"Two jobs have the id {declaration.id!r}: {other.ref} and {declaration.ref}. "
                'Give one of them another: @job(..., id="...")'
            )
        _declared.remove(other)
