"""What ruff's D401 cannot see: it knows verbs in the wrong mood, but takes a noun for a verb."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.settings import TEMPLATE

APP = TEMPLATE / "scheduler"
FRAGMENTS = """
    a after all an and any args as at before beside each either every first for from how if in is
    its jobs kinds last no none nothing of one once only rows runs seconds text than that the those
    what whatever when where whether which who whose why with without
"""
"""Words with which a docstring began before that said nothing without its signature."""


def docstrings(path: Path) -> Iterator[tuple[str, str]]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and ast.get_docstring(node):
            yield (
                f"{path.relative_to(APP)}:{node.lineno} {node.name}",
                ast.get_docstring(node) or "",
            )


ROOMS = sorted(path.name for path in APP.iterdir() if path.is_dir())


@pytest.mark.parametrize("files", [*(f"{room}/**/*.py" for room in ROOMS), "*.py"])
def test_the_docstring_of_a_public_function_begins_with_a_verb(files):
    found = [pair for path in sorted(APP.glob(files)) for pair in docstrings(path)]
    assert [where for where, text in found if not begins_with_a_verb(text)] == []


def begins_with_a_verb(text: str) -> bool:
    first = text.split()[0].strip(".,:")
    return first[0].isupper() and first.isalpha() and first.lower() not in FRAGMENTS.split()


@pytest.mark.parametrize("text", ["Whether it may run.", "``value`` as JSON.", "Those that run."])
def test_a_fragment_is_no_sentence(text):
    assert not begins_with_a_verb(text)
