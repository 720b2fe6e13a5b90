"""A leader whose messages the test holds, and workers that get those that it delivers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from scheduler.engine.executors.remote import RemoteExecutor
from scheduler.workers.worker import Worker

from tests.proof.conformance import bodies
from tests.proof.conformance.conftest import (  # noqa: F401
    _fresh_bodies,
    a,
    b,
    database_clock,
    monotonic,
    peer,
)
from tests.proof.conformance.peers import Peer

from .mailbox import Mailbox

HERE = Path(__file__).parent


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Those with a worker use real transactions."""
    for item in items:
        if HERE in item.path.parents and "worker" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.django_db(transaction=True))


@pytest.fixture
def mailbox(monkeypatch: pytest.MonkeyPatch) -> Mailbox:
    """The broker of all peers."""
    box = Mailbox()
    monkeypatch.setattr(
        "scheduler.schedulers.blocking.workers_executor", lambda: RemoteExecutor(box)
    )
    return box


@pytest.fixture
def leader(mailbox: Mailbox, request: pytest.FixtureRequest) -> Peer:
    leader: Peer = request.getfixturevalue("a")
    leader.lead()
    return leader


@pytest.fixture
def worker() -> Iterator[Callable[..., Worker]]:
    """Makes workers; they stop with the test."""
    made: list[Worker] = []

    def make(can_end: bool = False) -> Worker:
        made.append(Worker(can_end))
        made[-1].start()
        return made[-1]

    yield make
    bodies.gate.set()
    for each in made:
        each.stop()
