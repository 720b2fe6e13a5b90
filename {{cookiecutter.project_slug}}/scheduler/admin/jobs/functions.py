"""The functions that a job may be made of in the admin: a list to choose from, never free text."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from types import ModuleType
from typing import Any

from django.apps import AppConfig, apps
from django.utils.module_loading import module_has_submodule

from ...definitions import declarations, references
from ...definitions.task_functions import as_function, is_task
from ...masking import secret_parameters
from ..fields.arguments import signature_of


@dataclass(frozen=True)
class Choosable:
    """A function by its reference, as the list of functions shows it."""

    ref: str
    function: Callable[..., Any]

    @property
    def app(self) -> str:
        config = apps.get_containing_app_config(self.function.__module__)
        return str(config.verbose_name) if config else self.function.__module__

    @property
    def name(self) -> str:
        return self.function.__name__

    @property
    def signature(self) -> str:
        try:
            return f"{self.function.__name__}{signature_of(self.function)}"
        except (TypeError, ValueError):
            return f"{self.function.__name__}(...)"

    @property
    def summary(self) -> str:
        """Return the first line of its docstring."""
        return (inspect.getdoc(self.function) or "").partition("\n")[0]


def functions() -> dict[str, Choosable]:
    """Return declared functions, those of every app's ``jobs.py``, and tasks of its ``tasks.py``.

    Of names that begin with an underscore none.
    """
    declarations.autodiscover()
    found = {}
    for each in declarations.registered().values():
        if _can_run(each.func):
            found[each.ref] = each.func
    for config in apps.get_app_configs():
        jobs, tasks = (_module(config, name) for name in ("jobs", "tasks"))
        candidates = [(jobs, *named) for named in vars(jobs).items()] if jobs else []
        # Other functions in there are no more meant to be chosen than those of any module.
        candidates += [(tasks, n, v) for n, v in vars(tasks).items() if is_task(v)] if tasks else []
        for module, name, value in candidates:
            function = as_function(value)
            own = inspect.isfunction(function) and function.__module__ == module.__name__
            if own and not name.startswith("_") and _can_run(function):
                found.setdefault(f"{module.__name__}:{function.__qualname__}", function)
    return {ref: Choosable(ref, found[ref]) for ref in sorted(found)}


def _module(config: AppConfig, name: str) -> ModuleType | None:
    """Return the module of an app, which another page or process may not have imported yet."""
    path = f"{config.name}.{name}"
    if path not in sys.modules and config.module and module_has_submodule(config.module, name):
        with suppress(Exception):  # it offers nothing; whoever needs it is told why
            import_module(path)
    return sys.modules.get(path)


def _can_run(function: Callable[..., Any]) -> bool:
    """Return whether a job may be made of it: a lambda or a generator function is not offered."""
    try:
        references.reference_to(function)
        references.check_runnable(function)
    except references.FunctionError:
        return False
    return True


def sensitive_of(ref: str) -> set[str]:
    """Return argument names that sound like secrets, or that a declaration calls sensitive."""
    names = secret_parameters(ref)
    for declaration in declarations.registered().values():
        if declaration.ref == ref:
            names.update(declaration.options.get("sensitive", ()))
    return names
