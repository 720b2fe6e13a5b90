"""Functions by name: the text that a row holds, and the callable that it stands for."""

from __future__ import annotations

import difflib
import importlib
import inspect
import sys
from collections.abc import Callable
from functools import lru_cache, partial
from typing import Any, cast

from django.apps import apps
from django.core.signals import setting_changed

from ..conf import conf
from .task_functions import as_function

TO_ALLOW = "; add it to APSCHEDULER_ALLOWED_MODULES if jobs may call it"
"""What helps where no process may call the function: no help to one that only needs a restart."""

BY_TEXT = "pass a function of a module, or the text 'module:name' under which one keeps it"


class FunctionError(LookupError, ValueError):
    """A callable without a name that can be stored, or a name that leads to no allowed callable."""


def reference_to(func: Callable[..., Any], known: str | None = None) -> str:
    """Return a reference that leads back to the very object ``func``.

    Args:
        known: a reference that was given with it, such as ``"home.jobs:nightly"`` of an object that
            does not know its own name; it is returned where it leads to ``func``.

    Raises:
        FunctionError: no reference leads to it, or a job may not name it.
    """
    func = as_function(func)
    if known:
        try:
            if _is_same(resolve(known), func):
                return known
        except FunctionError:
            if known == _name_of(func) and _is_known_by_name(func):  # so the reason is right
                raise
    reference = ref(func)
    if not _is_known_by_name(func):
        raise FunctionError(f"{func!r} says that it is {reference}, which is not there; {BY_TEXT}")
    found = resolve(reference)
    if not _is_same(found, func):
        raise FunctionError(
            f"{reference} is {found!r}, not the {func!r} that was given. If decorators stand above "
            "@job, move it to the top; otherwise pass the text 'module:name' under which a module "
            "keeps the object"
        )
    return reference


def check_runnable(func: Callable[..., Any]) -> None:
    """Check that calling ``func`` runs it.

    Raises:
        FunctionError: a generator function, whose call runs none of its lines.
    """
    called = func if inspect.isroutine(func) else getattr(type(func), "__call__", func)  # noqa: B004
    for each in (func,) if called is func else (func, called):
        if inspect.isgeneratorfunction(each) or inspect.isasyncgenfunction(each):
            raise FunctionError(
                f"{func!r} is a generator function: calling it runs none of its lines. Pass a "
                "function that does the work, such as one that loops over it"
            )


def ref(func: Callable[..., Any] | str) -> str:
    """Return the name of ``func``: ``"module:qualname"``. A text is checked for its form.

    A bound method gives the name of its function; the instance has to travel as an argument.
    ``reference_to`` also checks where it leads, which is unknown while its module is imported.

    Raises:
        FunctionError: a lambda, nested function, partial, or what else has no importable name.
    """
    if isinstance(func, str):
        _split(func)
        return func
    func = as_function(func)
    if isinstance(func, partial):
        raise FunctionError(f"{func!r} is a partial; pass its function, and args or kwargs")
    name = getattr(func, "__qualname__", None)
    if not callable(func) or not isinstance(name, str):
        raise FunctionError(f"{func!r} is no function; {_hint(func)}")
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


def nameless(func: Any) -> FunctionError:
    """Return the error for a callable that knows no module, such as ``str.upper``."""
    return FunctionError(f"{func!r} is of no module; {BY_TEXT}")


def resolve(reference: str) -> Callable[..., Any]:
    """Return the callable that ``reference`` names.

    Only what is defined in an installed app, or in a module of ``APSCHEDULER_ALLOWED_MODULES``,
    is resolved: a row may not name any callable in the world, not even by way of an import.

    Raises:
        FunctionError: not allowed, not importable, or not callable.
    """
    module_name, path = _split(reference)
    _check_allowed(module_name, reference)
    found = as_function(_attribute(_imported(module_name, reference), path, reference))
    if not callable(found):
        raise FunctionError(f"{reference} is not callable")
    if inspect.isroutine(found) or inspect.isclass(found):
        _check_allowed(_module_of(found) or "", reference)
    return cast("Callable[..., Any]", found)


def check_module(func: Callable[..., Any]) -> None:
    """Check that a job, or a task, may name the function, by the module that defines it.

    Raises:
        FunctionError: it has no importable name, or lies in a module that is not allowed.
    """
    reference = ref(func)
    _check_allowed(reference.partition(":")[0], reference)


def _is_same(found: Any, func: Any) -> bool:
    """Return whether both are one object. Each access to a method makes another one."""
    if inspect.ismethod(func):
        return bool(found == func) or (
            not inspect.isclass(func.__self__) and found is func.__func__
        )
    return found is func


def _is_known_by_name(func: Any) -> bool:
    """Return whether the module that an object names has something under the name it gives."""
    module = sys.modules.get(str(_module_of(func)))
    return module is not None and hasattr(module, func.__qualname__.partition(".")[0])


def _name_of(func: Any) -> str:
    return f"{getattr(func, '__module__', '')}:{getattr(func, '__qualname__', '')}"


def _hint(func: Any) -> str:
    """Return how an object that does not know its name can be passed."""
    module = type(func).__module__
    for name, value in vars(sys.modules[module]).items():
        if value is func:
            return f"pass the text '{module}:{name}'"
    return BY_TEXT


def _module_of(func: Any) -> str | None:
    owner = getattr(func, "__self__", None) if inspect.ismethod(func) else None
    if inspect.isclass(owner):  # a class method may be inherited from another module
        return owner.__module__
    return getattr(func, "__module__", None)


@lru_cache(maxsize=1024)
def _split(reference: str) -> tuple[str, str]:
    module, colon, path = reference.partition(":")
    names = [*module.split("."), *path.split(".")]
    if not colon or not all(name.isidentifier() for name in names):
        raise FunctionError(f"{reference!r} is no reference; write it like {_form(reference)}")
    return module, path


def _form(reference: str) -> str:
    """Return what was meant where the last dot should be a colon, or an example."""
    owner, _, name = reference.rpartition(".")
    dotted = all(part.isidentifier() for part in reference.split("."))
    return f"{owner}:{name}" if owner and dotted else "home.jobs:heartbeat"


def _check_allowed(module: str, reference: str) -> None:
    if not _is_allowed(module):
        raise FunctionError(f"{reference}: the module {module!r} is in no installed app{TO_ALLOW}")


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
            raise FunctionError(
                f"{reference}: there is no {name} in {found!r}{_meant(name, found)}"
            ) from None
    return found


def _meant(name: str, owner: Any) -> str:
    known = [each for each, value in vars(owner).items() if callable(value)]
    near = difflib.get_close_matches(name, known, n=1)
    return f"; did you mean {near[0]}?" if near else ""


def _forget(*, setting: str, **_: Any) -> None:
    if setting in ("INSTALLED_APPS", "APSCHEDULER_ALLOWED_MODULES"):
        _is_allowed.cache_clear()


setting_changed.connect(_forget)
