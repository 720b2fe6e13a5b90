"""An environment of the newer Django, beside the one that runs the tests."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.interpreters import interpreter

NEWER = "6.1"
PYTHONS = ("3.12", "3.13", "3.14")
PACKAGES = ("apscheduler>=3.11.2,<4", "axe-playwright-python", "cookiecutter", "cron-descriptor",
            "django-environ", "hypothesis", "pebble", "pillow", "playwright", "prometheus-client",
            "pytest", "pytest-cookies", "pytest-django", "pytest-xdist",
            "tzdata", "uv")  # fmt: skip


def make_newer(folder: Path) -> Path | None:
    """Make the environment in ``folder`` and return its Python; None without a Python for it."""
    python = interpreter(*PYTHONS)
    if python is None:
        return None
    uv = str(Path(sys.executable).with_name("uv"))
    subprocess.run([uv, "venv", "--quiet", "--python", str(python), folder], check=True)
    made = folder / "bin" / "python"
    install = [uv, "pip", "install", "--quiet", "--python", str(made), f"django~={NEWER}.0"]
    subprocess.run([*install, *PACKAGES], check=True)
    return made
