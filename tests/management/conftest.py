"""A leader that lives on paper."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from scheduler.models import Lease, Node


@pytest.fixture
def leader():
    now = datetime.now(UTC)
    node = Node.objects.create(role="leader", host="h1", pid=7, started_at=now, beat_at=now, ttl=60)
    Lease.objects.create(pk=1, holder=node.pk, term=3, expires_at=now + timedelta(hours=1))
