"""Errors by mail: how many, and from where."""

from __future__ import annotations

import logging
import os
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from django import VERSION
from django.test import RequestFactory

from config.error_mail import MAILS, PERIOD, ErrorMail, Limit, Outbox, kind_of


class Clock:
    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_one_error_is_mailed_once_an_hour(tmp_path: Path, clock: Clock) -> None:
    limit = Limit(tmp_path / "note", clock)
    assert [limit.admit("a") for _ in range(4)] == [0, None, None, None]
    clock.now += PERIOD - 1
    assert limit.admit("a") is None
    clock.now += 1
    assert limit.admit("a") == 4


def test_many_errors_are_so_many_mails_an_hour(tmp_path: Path, clock: Clock) -> None:
    limit = Limit(tmp_path / "note", clock)
    admitted = [limit.admit(f"error {number}") for number in range(3 * MAILS)]
    assert admitted == [0] * MAILS + [None] * 2 * MAILS
    clock.now += PERIOD
    assert limit.admit("another") == 2 * MAILS


def test_processes_share_the_limit_and_a_restart_keeps_it(tmp_path: Path, clock: Clock) -> None:
    assert Limit(tmp_path / "note", clock).admit("a") == 0
    assert Limit(tmp_path / "note", clock).admit("a") is None
    assert (tmp_path / "note").stat().st_mode & 0o777 == 0o600


def test_threads_that_meet_it_at_once_send_one(tmp_path: Path, clock: Clock) -> None:
    admitted: list[int | None] = []
    together = threading.Barrier(8)

    def meet() -> None:
        together.wait()
        admitted.append(Limit(tmp_path / "note", clock).admit("a"))

    threads = [threading.Thread(target=meet) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len([one for one in admitted if one is not None]) == 1


def test_a_link_of_somebody_else_is_not_followed(tmp_path: Path, clock: Clock) -> None:
    (tmp_path / "theirs").write_text("theirs")
    (tmp_path / "note").symlink_to(tmp_path / "theirs")
    limit = Limit(tmp_path / "note", clock)
    # By itself it keeps to the limit all the same.
    assert [limit.admit("a") for _ in range(2)] == [0, None]
    assert (tmp_path / "theirs").read_text() == "theirs"


@pytest.mark.parametrize("text", ["", "{", "[]", '{"sent": {"a": 1}}'])
def test_a_note_that_was_cut_short_silences_nothing(
    tmp_path: Path, clock: Clock, text: str
) -> None:
    (tmp_path / "note").write_text(text)
    assert Limit(tmp_path / "note", clock).admit("a") == 0


def test_a_clock_that_was_set_back_silences_nothing(tmp_path: Path, clock: Clock) -> None:
    limit = Limit(tmp_path / "note", clock)
    limit.admit("a")
    clock.now -= 10 * PERIOD
    assert limit.admit("a") == 0


def record(kind: type[Exception] = ValueError, request: Any = None) -> logging.LogRecord:
    try:
        raise kind("of a view")
    except kind:
        made = logging.LogRecord("django.request", logging.ERROR, "x", 1, "Oh", (), sys.exc_info())
    made.request = request
    return made


def test_the_same_error_has_the_same_place() -> None:
    assert kind_of(record()) == kind_of(record())
    assert kind_of(record()) != kind_of(record(KeyError))


@pytest.fixture
def handler(settings, tmp_path: Path, clock: Clock) -> ErrorMail:
    settings.ADMINS = [("", "ops@example.com")] if VERSION < (6, 0) else ["ops@example.com"]
    return ErrorMail(limit=Limit(tmp_path / "note", clock))


def test_a_flood_is_one_mail_and_the_next_counts_it(
    handler: ErrorMail, settings, mailoutbox, clock: Clock
) -> None:
    for _ in range(60):
        handler.handle(record(request=RequestFactory().post("/", {"card": "4111"})))
    clock.now += PERIOD
    handler.handle(record())
    handler.outbox.flush(10)
    first, second = mailoutbox
    assert first.subject.startswith(f"{settings.EMAIL_SUBJECT_PREFIX}ERROR")
    assert "4111" not in first.body
    assert "card" in first.body
    assert second.body.startswith("59 more errors were not mailed")


def test_without_admins_there_is_no_mail(handler: ErrorMail, settings, mailoutbox) -> None:
    settings.ADMINS = []
    handler.handle(record())
    handler.outbox.flush(10)
    assert mailoutbox == []


def test_a_mail_server_that_hangs_holds_nobody(caplog) -> None:
    """Each ``put`` returns while the first mail still hangs; what is too much is dropped."""
    hangs, goes_on, sent = threading.Event(), threading.Event(), []

    def send(subject: str, message: str) -> None:
        hangs.set()
        assert goes_on.wait(30)
        sent.append(subject)

    outbox = Outbox(send)
    outbox.put("first", "", {})
    assert hangs.wait(30)
    for number in range(MAILS + 1):
        outbox.put(f"{number}", "", {})
    assert sent == []
    assert f"no mail for {MAILS}" in caplog.text
    outbox.flush(0)
    goes_on.set()
    outbox.flush(30)
    assert sent == ["first", *map(str, range(MAILS))]


def test_a_mail_server_that_refuses_is_told_in_the_log(caplog) -> None:
    def refuse(subject: str, message: str) -> None:
        raise ConnectionRefusedError("nobody listens")

    outbox = Outbox(refuse)
    outbox.put("first", "", {})
    outbox.put("second", "", {})
    outbox.flush(30)
    assert "Error not mailed: first" in caplog.text
    assert "Error not mailed: second" in caplog.text


def test_a_fork_sends_its_own(handler: ErrorMail, tmp_path: Path) -> None:
    """The thread stays with the parent; a child that waited for it would mail nothing."""
    handler.outbox = Outbox(lambda subject, message: (tmp_path / subject).touch())
    handler.outbox.put("parent", "", {})
    handler.outbox.flush(30)
    child = os.fork()
    if child == 0:
        handler.outbox.put("child", "", {})
        handler.outbox.flush(30)
        os._exit(0)
    os.waitpid(child, 0)
    assert {"parent", "child"} <= {path.name for path in tmp_path.iterdir()}
