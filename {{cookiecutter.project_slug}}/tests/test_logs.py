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


def test_a_developer_reads_tracebacks_unfolded(monkeypatch: pytest.MonkeyPatch) -> None:
    with printed(monkeypatch, "text", fold=False) as out:
        complain()
    assert "\n    raise ValueError" in out.getvalue()


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
