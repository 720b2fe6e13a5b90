"""Log lines, through the real ``logging`` machinery."""

from __future__ import annotations

import io
import json
import logging
import logging.config
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from config.logs import logging_config
from scheduler import scheduler
from scheduler.testing import run_due


@contextmanager
def printed(monkeypatch: pytest.MonkeyPatch, form: str, fold: bool = True) -> Iterator[io.StringIO]:
    """What the root logger prints meanwhile under that configuration."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    out = io.StringIO()
    monkeypatch.setattr(sys, "stdout", out)
    logging.config.dictConfig(logging_config(level="INFO", form=form, fold=fold))
    try:
        yield out
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)


def complain() -> None:
    try:
        raise ValueError("first\nsecond")
    except ValueError:
        logging.getLogger("shop").exception("Could not\nsell", extra={"order": 7})


def test_text_is_one_line_a_record(monkeypatch: pytest.MonkeyPatch) -> None:
    with printed(monkeypatch, "text") as out:
        complain()
    (line,) = out.getvalue().splitlines()
    assert " ERROR shop: Could not\\nsell\\nTraceback" in line
    assert line.endswith("ValueError: first\\nsecond")


@pytest.mark.parametrize("fold", [True, False])
def test_no_character_of_a_text_commands_the_terminal(
    monkeypatch: pytest.MonkeyPatch, fold: bool
) -> None:
    with printed(monkeypatch, "text", fold) as out:
        logging.getLogger("shop").warning("a\x1b[31m\0 b\x9b c\u202e \tü")
    assert out.getvalue().endswith("shop: a\\x1b[31m\\x00 b\\x9b c\\u202e \tü\n")


def test_a_developer_reads_tracebacks_unfolded(monkeypatch: pytest.MonkeyPatch) -> None:
    with printed(monkeypatch, "text", fold=False) as out:
        complain()
    assert "\n    raise ValueError" in out.getvalue()


@pytest.mark.django_db
@pytest.mark.parametrize("form", ["text", "json"])
def test_a_line_that_a_job_writes_names_its_run(monkeypatch: pytest.MonkeyPatch, form: str) -> None:
    scheduler.add_job("tests.jobs:complain", "date", id="shop.report")
    with printed(monkeypatch, form) as out:
        (execution,) = run_due()
        logging.getLogger("shop").info("outside")
    inside, outside = (line for line in out.getvalue().splitlines() if "shop" in line)
    if form == "text":
        run = f"[job=shop.report execution={execution.pk} attempt=1]"
        assert f" WARNING shop {run}: out of paper" in inside
        assert outside.endswith(" INFO shop: outside")
    else:
        fields = {"job": "shop.report", "execution": execution.pk, "attempt": 1}
        assert fields.items() <= json.loads(inside).items()
        assert not json.loads(outside).keys() & fields.keys()


def test_json_carries_what_extra_gave(monkeypatch: pytest.MonkeyPatch) -> None:
    with printed(monkeypatch, "json") as out:
        complain()
    (line,) = out.getvalue().splitlines()
    record = json.loads(line)
    assert record["level"] == "ERROR"
    assert record["logger"] == "shop"
    assert record["message"] == "Could not\nsell"
    assert record["order"] == 7
    assert "Traceback" in record["exception"]
    assert record["time"].endswith("Z")
