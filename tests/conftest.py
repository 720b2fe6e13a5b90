"""The one door through which the tests bake projects."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Generator
from pathlib import Path

import pytest

from demo.template import copy_template
from tests.combinations import QUESTIONS

Bake = Callable[..., Path]


def pytest_configure() -> None:
    # A background job of a shell ignores Ctrl-C, and so would every process that the tests start.
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_xdist_auto_num_workers() -> int:
    """More than cores: whoever boots processes waits for them most of the time."""
    return 2 * (os.cpu_count() or 1)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The slow files first, the longest before them, so that all workers end at about one time."""
    items.sort(
        key=lambda item: (item.get_closest_marker("slow") is None, item.path.stem != "test_lanes")
    )


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Some bodies print half a letter on purpose, which no worker can send to the main process."""
    report = yield
    report.sections = [
        (name, text.encode(errors="backslashreplace").decode()) for name, text in report.sections
    ]
    return report


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


@pytest.fixture
def declared(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """A registry of declarations of this test's own; ``declared()`` starts the next release."""
    from scheduler.definitions import declarations

    monkeypatch.setattr(declarations, "errors", {})

    def next_release() -> None:
        monkeypatch.setattr(declarations, "_declared", [])

    next_release()
    return next_release
