"""``@job``: jobs that the code declares. ``syncing`` brings them into the rows.

Imports no model, so that a module can declare jobs before the apps are ready.
"""

from __future__ import annotations

import importlib
import logging
import traceback
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

from apscheduler.triggers.base import BaseTrigger
from django.apps import apps
from django.utils.module_loading import module_has_submodule

from . import functions, given, policies
from .conf import conf

if TYPE_CHECKING:
    from .engine.lease import Lease

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
        """What was given, or ``app_label.function``."""
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
    policies.enforceable(options.get("timeout"), executor)
    chosen = _chosen(options) | {
        "name": name,
        "args": tuple(args or ()),
        "kwargs": dict(kwargs or {}),
        "executor": given.known_executor(executor),
    }
    made = given.make_trigger(trigger, options)

    def declare(func: Function) -> Function:
        functions.ref(func)  # raises if no row can name it
        _add(Declaration(func, made, id, chosen, datetime.now(UTC)))
        return func

    return declare


def registered() -> dict[str, Declaration]:
    """Every declaration by its id."""
    return {declaration.id: declaration for declaration in _declared}


def autodiscover() -> None:
    """Import ``jobs.py`` of every installed app. One that fails is kept in ``errors``."""
    for app in apps.get_app_configs():
        if app.module is None or not module_has_submodule(app.module, "jobs"):
            continue
        try:
            importlib.import_module(f"{app.name}.jobs")
            errors.pop(app.label, None)
        except Exception:
            errors[app.label] = traceback.format_exc()
            logger.exception("The jobs of app %r are left as they are", app.label)


def sync(using: str, lease: Lease | None = None) -> Any:
    """Bring the declarations into the rows; see ``syncing.sync``."""
    from . import syncing

    return syncing.sync(using, lease)


def _chosen(options: dict[str, Any]) -> dict[str, Any]:
    """Take what is not the trigger's out of ``options``; what is not said has its default."""
    defaults = {
        "coalesce": True,
        "max_instances": 1,
        "misfire_grace_time": None,
        **policies.DEFAULTS,
        **conf().JOB_DEFAULTS,
    }
    chosen = {option: options.pop(option, default) for option, default in defaults.items()}
    policies.checked({option: chosen[option] for option in policies.POLICY_NAMES})
    return chosen


def _add(declaration: Declaration) -> None:
    if apps.ready:
        _replace(declaration)
    _declared.append(declaration)


def _replace(declaration: Declaration) -> None:
    """A module that is imported again declares again; two functions under one id are a mistake."""
    for other in [other for other in _declared if other.id == declaration.id]:
        if other.ref != declaration.ref or other.func is declaration.func:
            raise ValueError(
                f"Two jobs have the id {declaration.id!r}: {other.ref} and {declaration.ref}. "
                'Give one of them another: @job(..., id="...")'
            )
        _declared.remove(other)
