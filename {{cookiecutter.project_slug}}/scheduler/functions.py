"""Functions by name: the text that a row holds, and the callable that it stands for."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable
from functools import lru_cache, partial
from typing import Any, cast

from django.apps import apps
from django.core.signals import setting_changed

from .conf import conf


class FunctionError(LookupError, ValueError):
    """A callable without a name that can be stored, or a name that leads to no allowed callable."""


def ref(func: Callable[..., Any] | str) -> str:
    """The name of ``func``: ``"module:qualname"``. A name is checked for its form and returned.

    A bound method gives the name of its function; the instance has to travel as an argument.

    Raises:
        FunctionError: a lambda, nested function, partial, or what else has no importable name.
    """
    if isinstance(func, str):
        _split(func)
        return func
    if isinstance(func, partial):
        raise FunctionError(f"{func!r} is a partial; pass its function, and args or kwargs")
    name = getattr(func, "__qualname__", None)
    if not callable(func) or not isinstance(name, str):
        raise FunctionError(f"{func!r} is no function; pass a function of a module")
    if "<lambda>" in name:
        raise FunctionError(f"{name} is a lambda; define a function in a module")
    if "<locals>" in name:
        raise FunctionError(f"{name} is nested in a function; move it to the module's top level")
    module = _module_of(func)
    if not module or module == "__main__":
        raise FunctionError(
            f"{name} is defined in {module or 'no module'}, which the scheduler cannot import; "
            "move it to a module of an installed app"
        )
    return f"{module}:{name}"


def resolve(reference: str) -> Callable[..., Any]:
    """The callable that ``reference`` names.

    Only what is defined in an installed app, or in a module of ``APSCHEDULER_ALLOWED_MODULES``,
    is resolved: a row may not name any callable in the world, not even by way of an import.

    Raises:
        FunctionError: not allowed, not importable, or not callable.
    """
    module_name, path = _split(reference)
    _check_allowed(module_name, reference)
    found = _attribute(_imported(module_name, reference), path, reference)
    if not callable(found):
        raise FunctionError(f"{reference} is not callable")
    if inspect.isroutine(found) or inspect.isclass(found):
        _check_allowed(_module_of(found) or "", reference)
    return cast("Callable[..., Any]", found)


def _module_of(func: Any) -> str | None:
    owner = getattr(func, "__self__", None) if inspect.ismethod(func) else None
    if inspect.isclass(owner):  # a class method may be inherited from another module
        return owner.__module__
    return getattr(func, "__module__", None)


def _split(reference: str) -> tuple[str, str]:
    module, colon, path = reference.partition(":")
    names = [*module.split("."), *path.split(".")]
    if not colon or not all(name.isidentifier() for name in names):
        raise FunctionError(f"{reference!r} is no reference; write it like {_form(reference)}")
    return module, path


def _form(reference: str) -> str:
    """What was meant where the last dot should be a colon, or an example."""
    owner, _, name = reference.rpartition(".")
    dotted = all(part.isidentifier() for part in reference.split("."))
    return f"{owner}:{name}" if owner and dotted else "home.jobs:heartbeat"


def _check_allowed(module: str, reference: str) -> None:
    if not _is_allowed(module):
        raise FunctionError(
            f"{reference}: the module {module!r} is in no installed app; add it to "
            "APSCHEDULER_ALLOWED_MODULES if jobs may call it"
        )


@lru_cache(maxsize=1024)
def _is_allowed(module: str) -> bool:
    allowed = {*conf().ALLOWED_MODULES, *(config.name for config in apps.get_app_configs())}
    return "*" in allowed or any(f"{module}.".startswith(f"{each}.") for each in allowed)


def _imported(module: str, reference: str) -> Any:
    try:
        return importlib.import_module(module)
    except Exception as error:
        raise FunctionError(
            f"{reference}: cannot import {module}: {type(error).__name__}: {error}"
        ) from error


def _attribute(module: Any, path: str, reference: str) -> Any:
    found = module
    for name in path.split("."):
        # Not through modules: otherwise home.jobs:os.system would be a function of home.
        if found is not module and inspect.ismodule(found):
            raise FunctionError(f"{reference}: {found!r} is another module")
        try:
            found = getattr(found, name)
        except AttributeError:
            raise FunctionError(f"{reference}: there is no {name} in {found!r}") from None
    return found


def _forget(*, setting: str, **_: Any) -> None:
    if setting in ("INSTALLED_APPS", "APSCHEDULER_ALLOWED_MODULES"):
        _is_allowed.cache_clear()


setting_changed.connect(_forget)
