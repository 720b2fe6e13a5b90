"""When the loop says that it lives, and what it says."""

from __future__ import annotations

import socket
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from django.db import OperationalError
from scheduler.engine import heartbeat
from scheduler.engine.outage import Outage
from scheduler.models.node import Role


class Told:
    """systemd's end of the socket."""

    def __init__(self, ours: socket.socket) -> None:
        self.socket = ours

    def words(self) -> list[str]:
        try:
            return self.socket.recv(1000).decode().split("\n")
        except BlockingIOError:
            return []


@pytest.fixture
def told(tmp_path, monkeypatch):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ours:
        ours.bind(str(tmp_path / "notify"))
        ours.setblocking(False)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        monkeypatch.setenv("WATCHDOG_USEC", "30000000")
        monkeypatch.delenv("WATCHDOG_PID", raising=False)
        yield Told(ours)


@pytest.fixture
def clock(monkeypatch):
    time = SimpleNamespace(now=1000.0)
    monkeypatch.setattr(heartbeat, "monotonic", lambda: time.now)
    return time


@pytest.fixture
def loop():
    """The state of the loop that a heartbeat reports, with a real outage."""
    outage = Outage(SimpleNamespace(close=lambda: None))
    return SimpleNamespace(role=Role.STANDBY, next_due=None, outage=outage)


def turn(sign: heartbeat.Heartbeat, loop: SimpleNamespace) -> None:
    sign.turned(loop.role, 7, loop.next_due, loop.outage)


def test_ready_comes_with_the_first_turn_also_of_a_standby(told, clock, loop):
    turn(heartbeat.Heartbeat(), loop)
    assert told.words() == ["READY=1", "STATUS=standby", "WATCHDOG=1"]


def test_one_sign_a_second_and_status_only_when_it_changes(told, clock, loop):
    sign = heartbeat.Heartbeat()
    turn(sign, loop)
    told.words()
    turn(sign, loop)
    assert told.words() == []
    clock.now += 1.0
    turn(sign, loop)
    assert told.words() == ["WATCHDOG=1"]


def test_the_leader_says_its_term_and_what_comes_next(told, clock, loop, settings):
    loop.role = Role.LEADER
    sign = heartbeat.Heartbeat()
    turn(sign, loop)
    assert "STATUS=leader term 7, nothing scheduled" in told.words()
    loop.next_due = datetime(2026, 3, 1, 12, tzinfo=UTC)
    clock.now += 1.0
    turn(sign, loop)
    assert told.words()[0] == "STATUS=leader term 7, next 2026-03-01 12:00:00 UTC"


def test_a_database_that_is_away_is_no_reason_to_be_killed(told, clock, loop):
    loop.outage.begin(OperationalError("the server is gone"))
    turn(heartbeat.Heartbeat(), loop)
    words = told.words()
    assert "STATUS=waiting for the database: OperationalError: the server is gone" in words
    assert "WATCHDOG=1" in words


def test_turns_that_fail_otherwise_let_the_watchdog_bite(told, clock, loop):
    sign = heartbeat.Heartbeat()
    loop.outage.begin(ValueError("a mistake"))
    turn(sign, loop)
    words = told.words()
    assert "STATUS=turns fail: ValueError: a mistake" in words
    assert "WATCHDOG=1" not in words
    loop.outage.succeeded()
    clock.now += 1.0
    turn(sign, loop)
    assert told.words() == ["STATUS=standby", "WATCHDOG=1"]


def test_a_short_watchdog_is_told_more_often(told, clock, loop, monkeypatch):
    monkeypatch.setenv("WATCHDOG_USEC", "1500000")
    sign = heartbeat.Heartbeat()
    turn(sign, loop)
    told.words()
    clock.now += 0.5
    turn(sign, loop)
    assert told.words() == ["WATCHDOG=1"]


def test_a_heartbeat_tells_systemd_that_the_scheduler_stops(told, clock, loop):
    heartbeat.Heartbeat().stopping()
    assert told.words()[0] == "STOPPING=1"


def test_the_heartbeat_file_follows_the_same_rule(clock, loop, tmp_path, settings):
    settings.APSCHEDULER_HEARTBEAT_FILE = str(tmp_path / "heartbeat")
    sign = heartbeat.Heartbeat()
    turn(sign, loop)
    assert (tmp_path / "heartbeat").read_text() == "standby\n"
    (tmp_path / "heartbeat").unlink()
    loop.outage.begin(ValueError("a mistake"))
    clock.now += 1.0
    turn(sign, loop)
    assert not (tmp_path / "heartbeat").exists()


def test_a_heartbeat_file_that_cannot_be_written_stops_nothing(clock, loop, settings, caplog):
    settings.APSCHEDULER_HEARTBEAT_FILE = "/proc/nowhere/heartbeat"
    sign = heartbeat.Heartbeat()
    for _ in range(2):
        clock.now += 1.0
        turn(sign, loop)
    assert caplog.text.count("APSCHEDULER_HEARTBEAT_FILE cannot be written") == 1


def test_a_heartbeat_file_is_written_again_when_it_can_be(clock, loop, settings, tmp_path, caplog):
    """A disk that is full for a moment is no reason to be killed by a probe."""
    path = tmp_path / "not yet" / "heartbeat"
    settings.APSCHEDULER_HEARTBEAT_FILE = str(path)
    sign = heartbeat.Heartbeat()
    turn(sign, loop)
    path.parent.mkdir()
    for _ in range(2):
        clock.now += 1.0
        turn(sign, loop)
    assert path.read_text() == "standby\n"
    assert caplog.text.count("APSCHEDULER_HEARTBEAT_FILE is written again") == 1
