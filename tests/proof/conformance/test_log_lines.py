"""What would pass in silence leaves a line in the log: once, and with what to do."""

from __future__ import annotations

import pytest
from django.db import connections
from scheduler.conf import conf
from scheduler.models import Job
from scheduler.models.execution import Status

from .jobs import every_second, runs, second
from .peers import hold


@pytest.mark.parametrize(("pause", "lines"), [(45.0, 1), (1.0, 0)])
def test_a_process_that_was_suspended_says_for_how_long(a, monotonic, caplog, pause, lines):
    a.lead()
    a.turn()
    monotonic.forward(pause)
    a.turn()
    told = [text for text in caplog.messages if "This process stood still for" in text]
    assert len(told) == lines


def test_a_due_job_whose_row_somebody_holds_is_named_once(
    a, user, database_clock, monotonic, vendor, caplog
):
    if vendor == "sqlite":
        pytest.skip("SQLite has one write lock for all rows")
    now = database_clock.now()
    a.lead()
    every_second(second(now, 1), id="held")
    done = hold(user, lambda: Job.objects.select_for_update().get(id="held"))
    database_clock.move(1)
    for _ in range(8):
        a.turn()
        monotonic.forward(1.0)
    named = [text for text in caplog.messages if "'held' is due and cannot be claimed" in text]
    assert len(named) == 1
    done.set()
    a.turn_until(lambda: runs(status=Status.SUCCEEDED))


def test_a_standby_holds_one_connection_and_a_leader_listens_on_a_second(a, b, vendor):
    a.lead()
    a.turn()
    b.turn()
    for peer, listens in ((a, vendor == "postgresql"), (b, False)):
        assert (peer.do(peer.scheduler.loop.listener.socket) is not None) == listens
    a.scheduler.loop.lease.lose()
    a.end()
    b.lead()
    b.turn()
    assert (b.do(b.scheduler.loop.listener.socket) is not None) == (vendor == "postgresql")


def test_a_connection_that_cannot_listen_is_logged_once(a, vendor, monotonic, caplog):
    if vendor != "postgresql":
        pytest.skip("only PostgreSQL notifies")
    a.lead()
    a.turn()
    listener, wrapper = a.scheduler.loop.listener, a.do(lambda: connections["default"])
    usual = wrapper.settings_dict
    wrapper.settings_dict = {**usual, "PORT": "1"}
    a.do(listener.close)
    for _ in range(4):
        monotonic.forward(conf().LEASE_TTL)
        a.do(listener.socket)
    assert sum("Cannot listen" in r.getMessage() for r in caplog.records if r.levelno >= 30) == 1
    wrapper.settings_dict = usual
    monotonic.forward(conf().LEASE_TTL)
    assert a.do(listener.socket) is not None
