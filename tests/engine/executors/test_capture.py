"""What is kept of the output of a job function, of its exception and of its result."""

from __future__ import annotations

import io
import logging
import sys
import threading
from types import SimpleNamespace

import pytest
from scheduler.conf import conf
from scheduler.engine.executors import capture
from scheduler.engine.executors.capture import Capture
from scheduler.engine.executors.cut import Shortened
from scheduler.engine.executors.runner import MAX_EXCEPTION_CHARS
from scheduler.masking import scrubbed
from scheduler.models.execution import Status

from . import bodies
from .one_thread import BODIES

SECRET = "hunter2-hunter2-hunter2"


def test_a_limit_of_next_to_nothing_keeps_next_to_nothing():
    captured = Capture(1)
    for _ in range(10):
        captured.write("word ")
    assert captured.text() == "\n... 50 characters cut ...\n"


def test_a_text_within_the_limit_is_kept_whole():
    captured = Capture(10)
    captured.write("12345")
    captured.write("67890")
    assert captured.text() == "1234567890"


@pytest.mark.parametrize("piece", [1, 7, 1_000])
def test_the_first_and_the_last_half_of_a_long_text_are_kept(piece):
    text = "".join(chr(ord("a") + number % 26) for number in range(10_000))
    shortened = Shortened(100)
    for at in range(0, len(text), piece):
        shortened.write(text[at : at + piece])
    assert shortened.text() == f"{text[:50]}\n... 9900 characters cut ...\n{text[-50:]}"


@pytest.mark.parametrize("before", range(40, 52))
def test_no_cut_goes_through_a_secret(before):
    shortened = Shortened(100, [SECRET])
    shortened.write("a" * before + SECRET + "z" * 1_000 + SECRET + "b" * before)
    head, _, tail = shortened.text().partition("\n... ")
    assert head.rstrip("z").replace(SECRET, "").strip("a") == ""
    assert tail.partition(" ...\n")[2].lstrip("z").replace(SECRET, "").strip("b") == ""


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("name", "limit", "column"),
    [
        ("print_much", conf().MAX_LOG_CHARS // 2, "log"),
        ("fail_around", MAX_EXCEPTION_CHARS // 2, "exception"),
        ("result_around", conf().MAX_RESULT_CHARS, "return_value"),
    ],
)
def test_what_is_left_of_a_secret_at_a_cut_is_masked(call, settings, name, limit, column):
    for before in range(limit - 2 * len(SECRET), limit, 5):
        result = call(name, before=before, secret=SECRET, sensitive='["secret"]')
        row = SimpleNamespace(
            func=f"{BODIES}:{name}", args="[]", kwargs=f'{{"secret": "{SECRET}"}}',
            sensitive='["secret"]',
        )  # fmt: skip
        assert "hunter2" not in scrubbed(getattr(result, column), row)


@pytest.mark.django_db(transaction=True)
def test_an_exception_of_any_size_is_kept_within_bounds(call):
    result = call("fail_with", "e", 20_000_000)
    assert result.status is Status.FAILED
    assert len(result.exception) < MAX_EXCEPTION_CHARS + 100
    assert len(result.traceback) < conf().MAX_LOG_CHARS + 100
    assert result.exception.startswith("ValueError: eee")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("name", ["log_to_stdout", "log_beside_the_root"])
def test_a_record_is_captured_once_whatever_handlers_there_are(call, name):
    assert call(name).log.count("one line") == 1


@pytest.mark.django_db(transaction=True)
def test_the_output_of_a_thread_that_the_function_starts_is_captured(call):
    assert call("print_in_a_thread").log == "from the thread\n"


@pytest.mark.django_db(transaction=True)
def test_a_thread_runs_and_is_captured_where_sentry_wraps_its_run_too(call, monkeypatch):
    start = threading.Thread.start

    def start_as_sentry_does(thread: threading.Thread) -> None:
        body = getattr(thread.run, "__func__", thread.run)
        # What is given is not looked at: the real one, of another test, may lie below.
        thread.run = lambda *_: body(thread)
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", start_as_sentry_does)
    capture._follow_threads()  # on top of it, as in a process that starts Sentry first
    assert call("print_in_a_thread").log == "from the thread\n"


@pytest.mark.django_db(transaction=True)
def test_a_closed_stdout_fails_no_run(call, monkeypatch):
    closed = io.StringIO()
    closed.close()
    monkeypatch.setattr(sys, "stdout", closed)
    result = call("print_much", 1, "")
    assert (result.status, result.log[:3]) == (Status.SUCCEEDED, "azz")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("data", [5, None, ["a list"]])
def test_what_is_no_text_fails_the_call_as_a_real_stream_does(call, data):
    result = call("write_data", data)
    assert result.exception.startswith("TypeError: write() argument must be str")
    assert "write_data" in result.traceback


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("how", bodies.STREAMS)
def test_a_stream_that_a_function_replaces_or_closes_meets_no_later_run(call, how, capfd):
    for _ in range(2):
        assert call("change_stream", how).status is Status.SUCCEEDED
        assert call("print_much", 1, "").log.count("a") == 1
    print("and the real one is open", flush=True)
    assert "and the real one is open" in capfd.readouterr().out


@pytest.mark.django_db(transaction=True)
def test_bytes_are_captured_in_their_place(call):
    assert call("print_bytes").log == "before\nb\u00fctes\nafter\n"


@pytest.mark.django_db(transaction=True)
def test_a_pool_of_threads_that_outlives_a_run_is_captured_for_the_next_one(call):
    assert [call("print_in_a_pool", text).log for text in ("one", "two")] == ["one\n", "two\n"]


@pytest.mark.django_db(transaction=True)
def test_a_record_that_a_queue_brings_to_another_thread_is_captured_once(call):
    assert call("log_through_a_queue").log.count("one line") == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("how", bodies.SILENCES)
def test_a_function_that_configures_logging_silences_nobody_for_good(call, how):
    own = logging.getLogger("scheduler.loop")
    handlers = [*logging.getLogger().handlers]
    call("silence", how)
    assert own.isEnabledFor(logging.WARNING)
    assert not own.disabled
    assert logging.getLogger().handlers == handlers


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("name", ["raise_unspeakable", "return_unspeakable"])
def test_a_text_that_ends_whoever_asks_for_it_ends_nothing(call, name):
    result = call(name)
    assert result.status is (Status.FAILED if "raise" in name else Status.SUCCEEDED)
    assert "Unspeakable" in (result.exception or result.return_value)
