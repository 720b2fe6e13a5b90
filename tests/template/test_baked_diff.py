"""A change of the template reads as a change of projects."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.combinations import ROOT

GIT = ["git", "-c", "user.name=Test", "-c", "user.email=test@example.com"]


@pytest.mark.skipif(not shutil.which("git"), reason="it compares with a commit of git")
def test_the_baked_diff_shows_only_what_changed(template: Path, tmp_path: Path):
    source = shutil.copytree(template, tmp_path / "source")
    shutil.copytree(ROOT / ".ci", source / ".ci")
    for words in (["init", "-q"], ["add", "--all"], ["commit", "-q", "-m", "before"]):
        subprocess.run([*GIT, *words], cwd=source, check=True)
    procfile = source / "{{cookiecutter.project_slug}}" / "Procfile"
    procfile.write_text(procfile.read_text() + "# {{ cookiecutter.project_slug }}\n")
    done = subprocess.run(
        [source / ".ci" / "baked-diff", "HEAD", tmp_path / "sides"],
        env=os.environ | {"PYTHON": sys.executable},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    changed = [line for line in lines if line[:1] in "+-" and line[:3] not in ("+++", "---")]
    assert sorted(filter(None, changed)) == ["+# largest", "+# smallest"]
