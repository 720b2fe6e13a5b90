from __future__ import annotations

from collections.abc import Iterator

import pytest

from .one_thread import OneThread


@pytest.fixture
def call() -> Iterator[OneThread]:
    thread = OneThread()
    yield thread
    thread.end()
