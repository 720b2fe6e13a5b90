"""The one door through which the tests bake projects."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from demo.template import copy_template
from tests.combinations import QUESTIONS

Bake = Callable[..., Path]


def pytest_configure() -> None:
    # A background job of a shell ignores Ctrl-C, and so would every process that the tests start.
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the template that no other test run touches."""
    return copy_template(tmp_path_factory.mktemp("template"))


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
