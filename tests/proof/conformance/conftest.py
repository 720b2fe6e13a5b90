"""Peers, clocks, and bodies that tell the test when they were called."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.db import connection
from scheduler.db import clock

from . import bodies
from .clocks import DatabaseClock, Monotonic
from .peers import Peer

HERE = Path(__file__).parent


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Every test here uses real transactions, and is among those that ``-m django_db`` chooses."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.django_db(transaction=True))


@pytest.fixture(autouse=True)
def _fresh_bodies() -> Iterator[None]:
    bodies.calls.clear()
    bodies.gate.clear()
    yield
    bodies.gate.set()


@pytest.fixture
def monotonic(monkeypatch: pytest.MonkeyPatch) -> Monotonic:
    moved = Monotonic()
    monkeypatch.setattr(clock, "time", moved)
    return moved


@pytest.fixture
def database_clock() -> Iterator[DatabaseClock]:
    moved = DatabaseClock()
    moved.now()
    yield moved
    moved.release()


@pytest.fixture
def peer() -> Iterator[Callable[[str], Peer]]:
    """Makes peers; those that did not vanish end with the test."""
    made: list[Peer] = []

    def make(name: str) -> Peer:
        made.append(Peer(name))
        return made[-1]

    yield make
    bodies.gate.set()
    for each in made:
        if each._thread.is_alive():
            each.end()


@pytest.fixture
def a(peer: Callable[[str], Peer]) -> Peer:
    return peer("a")


@pytest.fixture
def b(peer: Callable[[str], Peer]) -> Peer:
    return peer("b")


@pytest.fixture
def user(peer: Callable[[str], Peer]) -> Peer:
    """Somebody else's transaction, open until the test is over or says so."""
    return peer("user")


def pytest_report_header() -> str:
    from django.conf import settings

    return f"conformance on {settings.DATABASES['default']['ENGINE'].rpartition('.')[2]}"


@pytest.fixture
def vendor() -> str:
    return connection.vendor
