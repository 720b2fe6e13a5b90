"""The workflows of the template and of its projects: pinned alike, and kept up to date."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from tests.combinations import ROOT
from tests.conftest import Bake


def pins(workflow: Path) -> dict[str, str]:
    """Action -> commit of everything that a workflow uses."""
    return dict(re.findall(r"uses: (\S+)@(\S+)", workflow.read_text()))


def test_actions_are_named_by_commit_and_alike_in_both(bake: Bake):
    """Dependabot proposes newer ones for the template alone: its projects follow by this test."""
    own = pins(ROOT / ".github/workflows/ci.yml")
    project = pins(bake(ci="github") / ".github/workflows/ci.yml")
    assert project
    assert project.items() <= own.items()
    assert [commit for commit in own.values() if not re.fullmatch(r"[0-9a-f]{40}", commit)] == []


def test_read_the_docs_understands_how_the_site_is_built():
    words = ("--builtin-schema", "vendor.readthedocs", str(ROOT / ".readthedocs.yaml"))
    done = subprocess.run(
        [sys.executable, "-m", "check_jsonschema", *words], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_dependabot_waits_before_it_proposes_a_new_release(bake: Bake):
    for folder in (ROOT, bake(ci="github")):
        file = folder / ".github/dependabot.yml"
        words = ("--builtin-schema", "vendor.dependabot", str(file))
        done = subprocess.run(
            [sys.executable, "-m", "check_jsonschema", *words], capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert "default-days: 7" in file.read_text()
