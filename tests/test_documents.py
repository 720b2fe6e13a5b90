"""What the documents point at exists, and their Python is Python."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.combinations import ROOT
from tests.conftest import Bake

OURS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]


@pytest.fixture(scope="module")
def documents(bake: Bake) -> list[Path]:
    """The template's own, and those of a project."""
    project = bake(use_docker="yes")
    return [*OURS, project / "README.md", *sorted((project / "docs").glob("*.md"))]


def test_links_lead_somewhere(documents: list[Path]):
    dead = [
        f"{document}: {target}"
        for document in documents
        for target in re.findall(r"\]\(([^)#\s]+)", document.read_text(encoding="utf-8"))
        if "://" not in target and not (document.parent / target).exists()
    ]
    assert dead == []


def test_every_make_target_exists(documents: list[Path]):
    makefiles = [ROOT / "Makefile", ROOT / "{{cookiecutter.project_slug}}" / "Makefile"]
    rules = "\n".join(makefile.read_text(encoding="utf-8") for makefile in makefiles)
    targets = set(re.findall(r"^([a-z]+):", rules, re.MULTILINE))
    for document in documents:
        code = re.findall(r"```sh\n(.*?)```|`([^`\n]+)`", document.read_text(), re.DOTALL)
        lines = "\n".join(block or span for block, span in code)
        assert set(re.findall(r"(?:^|\s)make ([a-z]+)", lines)) <= targets, document


def test_python_compiles(documents: list[Path]):
    found = 0
    for document in documents:
        for block in re.findall(r"```python\n(.*?)```", document.read_text(), re.DOTALL):
            compile(block, str(document), "exec")
            found += 1
    assert found >= 4
