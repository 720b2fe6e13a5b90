"""The recipes of docs/alerts.md, run as they stand, against a server of the test's own."""

from __future__ import annotations

import json
import queue
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from scheduler import signals
from scheduler.models import Execution

from tests.ops import rows
from tests.settings import TEMPLATE

Calls = "queue.Queue[tuple[str, bytes]]"


@pytest.fixture
def calls() -> Iterator[Calls]:
    received: Calls = queue.Queue()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            received.put((self.path, body))
            self.send_response(204)
            self.end_headers()

        do_GET = do_POST  # noqa: N815

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    received.address = f"http://127.0.0.1:{server.server_port}"  # type: ignore[attr-defined]
    yield received
    server.shutdown()
    server.server_close()


@pytest.fixture
def recipes(calls, monkeypatch) -> Iterator[dict]:
    monkeypatch.setenv("CHAT_WEBHOOK", calls.address + "/chat")
    monkeypatch.setenv("HEARTBEAT_PING", calls.address + "/ping")
    text = (TEMPLATE / "docs" / "alerts.md").read_text()
    names: dict = {"__name__": "home.alerts"}
    for block in re.findall(r"^```python\n(.*?)^```", text, re.M | re.S):
        exec(block, names)
    yield names
    for signal in (signals.run_failed, signals.run_lost, signals.run_missed):
        assert signal.disconnect(names["tell_the_chat"])
    assert signals.run_succeeded.disconnect(names["still_alive"])
    names["outside"].shutdown()


@pytest.mark.django_db
def test_a_webhook(calls, recipes):
    row = rows.execution(status="failed", exception="ValueError: no such order", max_retries=9)
    signals.run_failed.send(Execution, execution=row, exception=None)
    path, body = calls.get(timeout=10)
    assert path == "/chat"
    assert json.loads(body) == {"text": "home.sync failed: ValueError: no such order"}


@pytest.mark.django_db
def test_a_dead_man_s_switch(calls, recipes):
    signals.run_succeeded.send(Execution, execution=rows.execution("home.other"))
    signals.run_succeeded.send(Execution, execution=rows.execution("home.heartbeat"))
    assert calls.get(timeout=10)[0] == "/ping"
    recipes["outside"].shutdown(wait=True)
    assert calls.empty()
