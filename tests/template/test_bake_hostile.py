"""Answers are data: none of them can break a file or run."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import Bake
from tests.template.test_bake_choices import parse, texts

HOSTILE = {
    "double quotes": 'say "hi" """ and " again',
    "single quotes": "it's ''' done '",
    "backslashes": "C:\\new\\table\\ \\u0041 \\",
    "newlines": "first\nsecond\r\nthird",
    "emoji": "\U0001f680 \u00fcber \u6771\u4eac",
    "python": "'); open('PWNED', 'w'); ('",
    "python in triple quotes": '"""+__import__("os").system("touch PWNED")+"""',
    "shell": "$(touch PWNED) `touch PWNED` ; touch PWNED",
    "markup": "<script>alert(1)</script> & <b>",
    "comment and assignment": "a # b = c ; d : e % f %(g)s",
    "line separator": "one\u2028two",
}


@pytest.fixture(scope="module", params=HOSTILE.values(), ids=HOSTILE.keys())
def project(request: pytest.FixtureRequest, bake: Bake) -> Path:
    text = request.param
    return bake(
        project_name=" ".join(text.split()),
        description=text,
        author_name=text,
        project_slug="hostile",
        ci="github",
        use_docker="yes",
    )


def test_files_baked_from_hostile_answers_parse(project: Path):
    for name, text in texts(project).items():
        parse(name, text)


def test_no_hostile_answer_is_executed(project: Path):
    assert not list(project.parent.rglob("PWNED"))
    assert not Path("PWNED").exists()


def test_python_is_clean(project: Path):
    done = subprocess.run(
        [sys.executable, "-m", "ruff", "check", "--no-cache", "."],
        cwd=project,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
