"""The environment of a developer who works in a baked project."""

from __future__ import annotations

import os

# These tests' own, and CI's: `make` takes the locks as they are there, or fails.
OURS = {"DJANGO_SETTINGS_MODULE", "PYTHONPATH", "VIRTUAL_ENV", "TEST_DATABASE_URL", "CI"}


def environment() -> dict[str, str]:
    """Return the variables for a command in a baked project, without those of these tests.

    All others are kept: a developer may have an index of packages of their own.
    """
    return {name: value for name, value in os.environ.items() if name not in OURS}
