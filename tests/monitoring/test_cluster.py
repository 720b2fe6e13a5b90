"""Whoever shows the cluster shows the same: health, metrics, overview, landing page, status."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from io import StringIO

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from home.board import read_board
from scheduler.admin.overview import page as overview
from scheduler.models import Lease
from scheduler.monitoring import cluster, health
from scheduler.monitoring.metrics import RowCollector

from tests.monitoring import rows

pytestmark = pytest.mark.django_db


def ago(seconds: float):
    return rows.NOON - timedelta(seconds=seconds)


@pytest.fixture(autouse=True)
def noon():
    with rows.database_clock():
        yield


@dataclass(frozen=True)
class Seen:
    """What one of the five readers says."""

    led: bool
    leaders: frozenset[int]
    """Their pids."""
    alive: int


def of_health() -> Seen:
    page, read = health.read().as_dict(), health.read().cluster
    leaders = frozenset(process.node.pid for process in read.processes if process.leads)
    return Seen(page["led"], leaders, page["schedulers"])


def of_metrics() -> Seen:
    samples = [s for family in RowCollector().collect() for s in family.samples]
    values = {sample.name: sample.value for sample in samples if not sample.labels}
    leaders = [s.labels["pid"] for s in samples if s.name == "scheduler_is_leader" and s.value]
    return Seen(
        bool(values["scheduler_up"]), frozenset(map(int, leaders)), values["scheduler_processes"]
    )


def of_overview() -> Seen:
    return _of(overview.read(User(is_superuser=True, is_active=True)).cluster)


def of_landing_page() -> Seen:
    return _of(read_board(insider=False).cluster)


def of_status() -> Seen:
    out = StringIO()
    with suppress(SystemExit):
        call_command("scheduler", "status", "--json", stdout=out)
    said = json.loads(out.getvalue())
    leaders = {node["pid"] for node in said["nodes"] if node["leads"]}
    assert leaders == {node["pid"] for node in said["nodes"] if node["role"] == "leader"}
    return Seen(
        said["led"],
        frozenset(leaders),
        sum(node["role"] != "silent" for node in said["nodes"]),
    )


def _of(read: cluster.Cluster) -> Seen:
    leaders = frozenset(process.node.pid for process in read.processes if process.role == "leader")
    return Seen(read.led, leaders, len(read.alive))


READERS = [of_health, of_metrics, of_overview, of_landing_page, of_status]


@pytest.fixture(params=READERS, ids=[reader.__name__ for reader in READERS])
def seen(request):
    return request.param


def dead_leaders() -> None:
    """Two that were killed while they led; the last heartbeat of one was an hour ago."""
    rows.node(ago(3600), role="leader", pid=1)
    rows.node(ago(20), role="leader", pid=2)


def test_one_leads_and_those_that_died_leading_do_not(seen):
    dead_leaders()
    rows.leader(ago(2), pid=3)
    rows.node(ago(1), pid=4)
    rows.node(ago(1), role="draining", pid=5)
    rows.node(ago(1), role="stopped", pid=6)
    assert seen() == Seen(led=True, leaders=frozenset({3}), alive=3)


def test_a_lease_that_expired_makes_nobody_a_leader(seen):
    dead_leaders()
    rows.leader(ago(7), pid=3, ttl=60.0)
    assert seen() == Seen(led=False, leaders=frozenset(), alive=1)


def test_a_lease_that_was_given_up_makes_nobody_a_leader(seen):
    rows.leader(ago(2), pid=3)
    Lease.objects.update(holder=None)
    assert seen() == Seen(led=False, leaders=frozenset(), alive=1)


def test_a_holder_whose_heartbeat_is_late_still_leads(seen):
    """Its row is written apart from the lease, so that one may be older than the other."""
    rows.leader(ago(2), pid=3)
    Lease.objects.update(renewed_at=rows.NOON, expires_at=ago(-6))
    with rows.database_clock(ago(-5)):
        assert seen() == Seen(led=True, leaders=frozenset({3}), alive=1)


def test_a_lease_whose_holder_s_row_was_deleted_is_held_by_somebody(seen):
    rows.leader(ago(2)).delete()
    assert seen() == Seen(led=True, leaders=frozenset(), alive=0)


def test_status_says_in_one_word_what_each_process_does():
    rows.leader(ago(2), pid=1)
    rows.node(ago(1), pid=2)
    rows.node(ago(1.1), role="leader", pid=3)  # it lost the lease and has not noticed yet
    rows.node(ago(1.2), role="draining", pid=4)
    rows.node(ago(20), pid=5)
    out = StringIO()
    call_command("scheduler", "status", stdout=out)
    assert re.findall(r"^(\w+) +db1 +(\d)", out.getvalue(), re.MULTILINE) == [
        ("leader", "1"),
        ("standby", "2"),
        ("standby", "3"),
        ("draining", "4"),
        ("silent", "5"),
    ]


def test_a_process_that_has_been_silent_for_a_day_is_not_listed():
    rows.node(rows.NOON - timedelta(days=1, seconds=1))
    rows.node(rows.NOON - timedelta(days=1))
    assert len(cluster.read("default").processes) == 1
