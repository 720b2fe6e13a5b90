"""The template as a clone brings it: without what tools left in its folders."""

from __future__ import annotations

import shutil
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LEFT_BY_TOOLS = shutil.ignore_patterns("__pycache__", "*.py[co]", "*_cache", "*.sqlite3*")


def copy_template(target: Path) -> Path:
    """Copy all that baking needs into an empty or new folder, and return that."""
    for name in ("hooks", "{{cookiecutter.project_slug}}"):
        shutil.copytree(ROOT / name, target / name, ignore=LEFT_BY_TOOLS)
    shutil.copy(ROOT / "cookiecutter.json", target)
    return target
