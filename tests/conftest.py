"""The one door through which the tests bake projects."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.combinations import QUESTIONS, ROOT

Bake = Callable[..., Path]


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The template as a clone brings it, without bytecode that tests left in its folders."""
    copy = tmp_path_factory.mktemp("template")
    without_bytecode = shutil.ignore_patterns("__pycache__", "*.py[co]")
    for name in ("hooks", "{{cookiecutter.project_slug}}"):
        shutil.copytree(ROOT / name, copy / name, ignore=without_bytecode)
    shutil.copy(ROOT / "cookiecutter.json", copy)
    return copy


@pytest.fixture(scope="session")
def bake(cookies_session, template: Path) -> Bake:
    """Call with answers by name; returns the folder of a new project.

    Raises what cookiecutter raised, and TypeError for a question that the template does not ask.
    """

    def bake(**answers: str) -> Path:
        if unknown := answers.keys() - QUESTIONS.keys():
            raise TypeError(f"the template asks no question named {', '.join(sorted(unknown))}")
        result = cookies_session.bake(extra_context=answers, template=str(template))
        if result.exception is not None:
            raise result.exception
        return result.project_path

    return bake
