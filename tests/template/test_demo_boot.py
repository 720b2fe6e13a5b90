"""make demo, booted: what it prints is true, and Ctrl-C leaves nothing running."""

from __future__ import annotations

import http.cookiejar
import os
import re
import signal
import subprocess
import sys
import threading
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.combinations import ROOT

pytestmark = pytest.mark.slow


class Demo:
    """The running program, with all that it has printed so far."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.printed = folder, ""
        self.news = threading.Condition()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "demo"],
            cwd=ROOT,
            env=os.environ | {"DEMO_FOLDER": str(folder)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        threading.Thread(target=self._read, daemon=True).start()

    def wait_for(self, pattern: str, seconds: float = 90) -> str:
        """The text that the pattern's first group matched."""
        with self.news:
            found = self.news.wait_for(lambda: re.search(pattern, self.printed), seconds)
        assert found, f"{pattern!r} was not printed within {seconds} s:\n{self.printed}"
        return found[1]

    def children(self) -> list[int]:
        """Processes whose working folder lies in the demo's."""
        links = {link.parent.name: link for link in Path("/proc").glob("[0-9]*/cwd")}
        return [int(pid) for pid, link in links.items() if self._is_ours(link)]

    def _is_ours(self, link: Path) -> bool:
        try:
            return link.readlink().is_relative_to(self.folder)
        except OSError:
            return False

    def _read(self) -> None:
        for character in iter(lambda: self.process.stdout.read(1), ""):
            with self.news:
                self.printed += character
                self.news.notify_all()
        with self.news:
            self.news.notify_all()


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    demo = Demo(tmp_path_factory.mktemp("demo"))
    yield demo
    if demo.process.poll() is None:
        demo.process.send_signal(signal.SIGINT)
        demo.process.wait(120)


def test_the_printed_account_opens_the_admin(demo: Demo):
    home = demo.wait_for(r"Home +(http://\S+)")
    password = demo.wait_for(r"password (\S+)")
    cookies = http.cookiejar.CookieJar()
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(cookies))
    assert browser.open(home).status == 200
    browser.open(f"{home}admin/login/")
    token = next(cookie.value for cookie in cookies if cookie.name == "csrftoken")
    form = {"username": "admin", "password": password, "csrfmiddlewaretoken": token}
    answer = browser.open(f"{home}admin/login/?next=/admin/", urllib.parse.urlencode(form).encode())
    assert answer.url == f"{home}admin/"
    assert "Log out" in answer.read().decode()


def test_two_web_workers_and_one_scheduler(demo: Demo):
    demo.wait_for(r"(Ctrl-C)")
    commands = [Path(f"/proc/{pid}/cmdline").read_text() for pid in demo.children()]
    assert len([line for line in commands if "runapscheduler" in line]) == 1
    assert len([line for line in commands if "gunicorn" in line]) == 1 + 2  # its master


def test_ctrl_c_stops_all(demo: Demo):
    demo.wait_for(r"(Ctrl-C)")
    assert demo.children()
    demo.process.send_signal(signal.SIGINT)
    assert demo.process.wait(120) == 0
    demo.wait_for(r"(Stopped\.)", 5)
    assert demo.children() == []
