"""Everything in this folder starts real processes, in folders of its own, and ends them by id."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.boot.site import Site, copy_of, prepare
from tests.conftest import Bake


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def baked(bake: Bake) -> Path:
    project = bake(project_slug="boot_site", use_docker="yes")
    prepare(project)
    return project


@pytest.fixture
def site(baked: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A copy of the project with a database, a port and processes of its own.

    Not in ``tmp_path``, which is too long for the path of a socket.
    """
    with copy_of(baked, tmp_path_factory.mktemp("site") / "site") as site:
        yield site
