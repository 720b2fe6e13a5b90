"""A leader, and noon on the database's clock."""

from __future__ import annotations

import pytest
from scheduler.engine.leadership.lease import LeaseHolder
from scheduler.engine.leadership.node import Self

from tests.monitoring import rows


@pytest.fixture
def noon():
    with rows.database_clock():
        yield


@pytest.fixture
def lease():
    lease = LeaseHolder(Self("default"))
    lease.node.beat("standby", "poll", "")
    assert lease.acquire()
    return lease
