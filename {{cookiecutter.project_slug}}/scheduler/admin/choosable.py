"""The functions that a job may be made of in the admin: a list to choose from, never free text."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.apps import apps

from .. import declarations
from .argument_fields import signature_of


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
        """The first line of its docstring."""
        return (inspect.getdoc(self.function) or "").partition("\n")[0]


def functions() -> dict[str, Choosable]:
    """Declared functions, and the public ones of every app's ``jobs.py``, by reference."""
    declarations.autodiscover()
    found = {each.ref: each.func for each in declarations.registered().values()}
    for config in apps.get_app_configs():
        if module := sys.modules.get(f"{config.name}.jobs"):
            for name, value in vars(module).items():
                own = inspect.isfunction(value) and value.__module__ == module.__name__
                if own and not name.startswith("_"):
                    found.setdefault(f"{module.__name__}:{value.__qualname__}", value)
    return {ref: Choosable(ref, found[ref]) for ref in sorted(found)}


def sensitive_of(ref: str) -> set[str]:
    """Argument names that some declaration of the function calls sensitive."""
    names: set[str] = set()
    for declaration in declarations.registered().values():
        if declaration.ref == ref:
            names.update(declaration.options.get("sensitive", ()))
    return names
