"""``docs/tutorial.md``: followed step by step in a fresh project, its tests pass."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.combinations import ROOT
from tests.conftest import Bake
from tests.template import developer

pytestmark = pytest.mark.slow

PAGE = (ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8")
STEP = re.compile(r"```(sh|python)\n(.*?)```", re.DOTALL)


def follow(project: Path, kind: str, text: str) -> None:
    """Write the file that a block names in its first line, or run the commands that it has."""
    if kind == "python":
        name = text.removeprefix("# ").partition("\n")[0]
        (project / name).write_text(text, encoding="utf-8")
        return
    for line in text.splitlines():
        if line.startswith(".venv/bin/python "):
            words = [sys.executable, *line.split()[1:]]
            done = subprocess.run(
                words,
                cwd=project,
                env=developer.environment() | {"DEBUG": "true"},
                capture_output=True,
                text=True,
            )
            assert done.returncode == 0, f"{line}\n{done.stdout}\n{done.stderr}"


def test_who_follows_the_tutorial_has_an_app_whose_tests_pass(bake: Bake):
    project = bake()
    settings = project / "config" / "settings.py"
    for kind, text in STEP.findall(PAGE):
        follow(project, kind, text)
        if "startapp" in text:  # what the page says in prose, below the model
            code = settings.read_text(encoding="utf-8")
            assert code.count('    "home",\n') == 1
            added = code.replace('    "home",\n', '    "home",\n    "reminders",\n')
            settings.write_text(added, encoding="utf-8")
    assert list((project / "reminders" / "migrations").glob("0001_*.py"))
