"""The subcommands of ``manage.py scheduler``, one file each.

A file has ``NAME``, ``HELP``, ``add_arguments(parser)`` and ``run(options) -> Answer``; whatever is
put here is found. One that changes something for the record says ``SIGNED = True`` and is given
``options["by"]``. Errors are raised: ``manage.py scheduler`` turns them into exit codes.
"""

from __future__ import annotations

import importlib
import pkgutil
from types import ModuleType


def found() -> dict[str, ModuleType]:
    """Every subcommand by its name."""
    modules = [
        importlib.import_module(f"{__name__}.{info.name}")
        for info in pkgutil.iter_modules(__path__)
    ]
    return {module.NAME: module for module in modules if hasattr(module, "NAME")}
