"""The pages on the newer Django, which draws its own frame anew."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import django
import pytest

from .newer import NEWER, make_newer
from .rig import ROOT, chromium

pytestmark = pytest.mark.slow


@pytest.mark.skipif(django.VERSION >= (6, 1), reason="this Django is the newer one already")
@pytest.mark.skipif(chromium() is None, reason="no Chromium here: apt-get install chromium")
def test_nothing_is_cut_off_or_covered_on_the_newer_django(tmp_path: Path):
    newer = make_newer(tmp_path / "env")
    if newer is None:
        pytest.skip(f"Django {NEWER} needs Python 3.12 or newer; none is here")
    pages = [newer, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/browser/test_pages.py"]
    env = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST_")}
    chosen = "cut_off_or_covered and light or timeline"
    done = subprocess.run([*pages, "-k", chosen], cwd=ROOT, env=env, capture_output=True, text=True)
    if done.returncode:
        pytest.fail(done.stdout + done.stderr, pytrace=False)
