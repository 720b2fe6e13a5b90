"""What a scheduler process measures of itself, in its row for all to see."""

from __future__ import annotations

import pytest
from django.db import connection
from scheduler import codeversion
from scheduler.conf import conf
from scheduler.models import Node

from . import bodies
from .jobs import add
from .peers import Peer


def row(peer: Peer) -> Node:
    return Node.objects.get(id=peer.node_id)


def test_a_leader_tells_how_long_its_renewal_took_and_a_standby_nothing(peer):
    a, b = peer("a"), peer("b")
    a.lead()
    a.beat()  # renews
    a.beat()  # tells of it
    b.beat()
    assert 0 < row(a).renew_seconds < conf().LEASE_TTL
    assert row(b).renew_seconds is None


def test_a_loop_that_was_held_up_tells_by_how_long(peer, monotonic):
    a = peer("a")
    a.lead()
    a.beat()
    monotonic.forward(conf().LEASE_RENEW + 2)
    a.turn()
    assert 2 <= row(a).loop_lag_seconds < 2 + conf().LEASE_TTL


def test_the_self_test_tells_how_soon_a_notification_is_heard(peer):
    a = peer("a")
    a.lead()  # a standby does not listen
    loop, wake = a.scheduler.loop, a.scheduler.wake
    a.do(lambda: wake.wait(0, loop.listener))  # opens the listening connection, if one is possible
    a.beat()
    a.do(lambda: wake.wait(10 if loop.listener.possible else 0, loop.listener))
    a.beat()
    if connection.vendor == "postgresql":
        assert 0 < row(a).wake_latency_seconds < 10
    else:
        assert row(a).wake_latency_seconds is None


def test_a_connection_that_broke_before_the_echo_does_not_make_the_next_one_deaf(peer, monotonic):
    """The self-test that it left unanswered belonged to it."""
    if connection.vendor != "postgresql":
        pytest.skip("only PostgreSQL notifies")
    a = peer("a")
    a.lead()
    listener, wake = a.scheduler.loop.listener, a.scheduler.wake
    a.do(lambda: wake.wait(0))  # APScheduler's start has woken the loop
    a.do(listener.socket)
    a.do(listener.ping)
    a.do(listener.close)
    monotonic.forward(60)
    a.do(listener.socket)
    a.do(listener.ping)
    assert listener.mode == "notify"
    assert a.do(lambda: wake.wait(10, listener))
    assert a.do(lambda: listener.latency) < 10


def test_a_process_tells_how_busy_it_is_and_which_code_it_runs(a):
    a.lead()
    add(bodies.wait)
    a.turn_until(lambda: bodies.calls)
    a.beat()
    slots = sum(executor.slots for executor in a.scheduler.loop.dispatcher.executors.values())
    assert (row(a).workers, row(a).busy_workers) == (slots, 1)
    assert row(a).code == codeversion.digest()
