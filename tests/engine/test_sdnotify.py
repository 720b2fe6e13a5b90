"""What systemd hears, on a socket of the test's own."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest
from scheduler.engine.sdnotify import Systemd


@pytest.fixture
def listener(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ours:
        ours.bind(str(tmp_path / "notify"))
        ours.settimeout(5)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        yield ours


def test_assignments_arrive_as_one_datagram(listener):
    assert Systemd().notify("READY=1", "STATUS=standby")
    assert listener.recv(100) == b"READY=1\nSTATUS=standby"


def test_sd_notify_reaches_an_abstract_socket(monkeypatch):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ours:
        ours.bind(f"\0sdnotify-{os.getpid()}")
        ours.settimeout(5)
        monkeypatch.setenv("NOTIFY_SOCKET", f"@sdnotify-{os.getpid()}")
        assert Systemd().notify("READY=1")
        assert ours.recv(100) == b"READY=1"


def test_without_systemd_nothing_happens(monkeypatch):
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    monkeypatch.setenv("WATCHDOG_USEC", "3000000")
    systemd = Systemd()
    assert not systemd.notify("READY=1")
    assert systemd.watchdog is None


def test_a_socket_that_is_gone_raises_nothing(tmp_path, monkeypatch, caplog):
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "gone"))
    assert not Systemd().notify("READY=1")
    assert "sd_notify failed" in caplog.text


def test_a_full_queue_does_not_hold_up_the_loop(listener):
    systemd = Systemd()
    assert any(not systemd.notify("X=" + "x" * 1000) for _ in range(10_000))


def test_what_a_job_starts_cannot_speak_for_the_scheduler(listener):
    Systemd()
    assert "NOTIFY_SOCKET" not in os.environ


@pytest.mark.parametrize(
    ("usec", "pid", "seconds"),
    [
        ("30000000", "", 30.0),
        ("30000000", "ours", 30.0),
        ("30000000", "1", None),
        ("", "", None),
        ("soon", "", None),
    ],
)
def test_the_watchdog_is_ours_only_if_the_pid_is(listener, monkeypatch, usec, pid, seconds):
    monkeypatch.setenv("WATCHDOG_USEC", usec)
    monkeypatch.setenv("WATCHDOG_PID", pid.replace("ours", str(os.getpid())))
    assert Systemd().watchdog == seconds
