"""The recipes of docs/alerts.md, run as they stand, against a server of the test's own."""

from __future__ import annotations

import json
import queue
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from config.environment import read_environment
from scheduler import signals
from scheduler.models import Execution

from tests.monitoring import rows
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


def blocks() -> list[str]:
    text = (TEMPLATE / "docs" / "alerts.md").read_text()
    return re.findall(r"^```python\n(.*?)^```", text, re.M | re.S)


@pytest.fixture
def dotenv(calls) -> str:
    return f"CHAT_WEBHOOK={calls.address}/chat\nPING_WEBHOOK={calls.address}/ping\n"


@pytest.fixture
def recipes(dotenv: str, settings, tmp_path: Path) -> Iterator[dict]:
    """The first block as settings read it, where .env alone names the addresses; then the rest."""
    (tmp_path / ".env").write_text(dotenv)
    for_settings, _for_apps, *for_alerts = blocks()
    read: dict = {"env": read_environment(tmp_path / ".env")}
    exec(for_settings, read)
    for name, value in read.items():
        if name.isupper():
            setattr(settings, name, value)
    names: dict = {"__name__": "home.alerts"}
    for block in for_alerts:
        exec(block, names)
    yield names
    for signal in (signals.run_failed, signals.run_lost, signals.run_missed):
        assert signal.disconnect(names["tell_the_chat"])
    assert signals.run_succeeded.disconnect(names["still_alive"])
    names["outside"].shutdown()


def test_they_are_as_the_project_s_lint_wants_them(tmp_path: Path):
    """In the places where the document puts them."""
    _for_settings, for_apps, *for_alerts = blocks()
    (tmp_path / "apps.py").write_text(for_apps)
    (tmp_path / "alerts.py").write_text("\n\n".join(for_alerts))
    config = ["--config", str(TEMPLATE / "pyproject.toml"), "--no-cache"]
    for command in (["check"], ["format", "--check"]):
        ruff = [sys.executable, "-m", "ruff", *command, *config, "."]
        done = subprocess.run(ruff, cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.django_db
def test_the_recipe_for_a_webhook_posts_each_failure(calls, recipes):
    row = rows.execution(status="failed", exception="ValueError: no such order", max_retries=9)
    signals.run_failed.send(Execution, execution=row, exception=None)
    path, body = calls.get(timeout=10)
    assert path == "/chat"
    assert json.loads(body) == {"text": "home.sync failed: ValueError: no such order"}


@pytest.mark.django_db
def test_the_recipe_for_a_dead_man_s_switch_calls_while_a_leader_works(calls, recipes):
    signals.run_succeeded.send(Execution, execution=rows.execution("home.other"))
    signals.run_succeeded.send(Execution, execution=rows.execution("home.heartbeat"))
    assert calls.get(timeout=10)[0] == "/ping"
    recipes["outside"].shutdown(wait=True)
    assert calls.empty()


@pytest.mark.django_db
@pytest.mark.parametrize("dotenv", [""])
def test_without_addresses_nobody_is_called(calls, recipes):
    row = rows.execution(status="failed", exception="ValueError: no such order", max_retries=9)
    signals.run_failed.send(Execution, execution=row, exception=None)
    signals.run_succeeded.send(Execution, execution=rows.execution("home.heartbeat"))
    recipes["outside"].shutdown(wait=True)
    assert calls.empty()
