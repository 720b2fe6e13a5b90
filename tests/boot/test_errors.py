"""A page that fails, over and over, on a site whose mail server is of no use."""

from __future__ import annotations

import queue
import socket
import threading
from collections.abc import Iterator
from email.parser import BytesParser
from email.policy import default

import pytest

from tests.boot.site import Site
from tests.boot.waiting import until

WEB = ("-m", "gunicorn")
FAILING = """
from django.urls import path


def fail(request):
    raise RuntimeError("on purpose")


urlpatterns.append(path("fail/", fail))
"""


@pytest.fixture
def failing(site: Site) -> Site:
    urls = site.path / "config" / "urls.py"
    urls.write_text(urls.read_text() + FAILING)
    return site


def web(site: Site, **variables: str) -> None:
    site.start(*WEB, log="web.log", TMPDIR=str(site.path / "var"), **variables)
    until(lambda: site.get("/healthz")[0] == 200, 20, "answered by web")


def test_a_mail_server_that_hangs_holds_no_thread(failing: Site):
    """More requests than threads, and health is still answered."""
    with socket.create_server(("127.0.0.1", 0)) as hangs:
        failing.write_settings(EMAIL_URL=f"smtp://127.0.0.1:{hangs.getsockname()[1]}")
        web(failing)
        for _ in range(20):
            assert failing.get("/fail/")[0] == 500
        assert failing.get("/healthz")[0] == 200
        connection, _ = hangs.accept()  # a mail is on its way all the same
        connection.close()


class MailServer:
    """As much of SMTP as Django's backend speaks."""

    def __init__(self) -> None:
        self.mails: queue.Queue[bytes] = queue.Queue()
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self) -> None:
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:  # closed
                return
            with connection, connection.makefile("rwb") as file:
                self.converse(file)

    def converse(self, file) -> None:
        def say(line: str) -> None:
            file.write(f"{line}\r\n".encode())
            file.flush()

        say("220 ready")
        for line in iter(file.readline, b""):
            if line.upper().startswith(b"DATA"):
                say("354 go on")
                self.mails.put(b"".join(iter(file.readline, b".\r\n")))
            say("250 ok")


@pytest.fixture
def mail_server() -> Iterator[MailServer]:
    server = MailServer()
    yield server
    server.socket.close()


def test_a_flood_of_errors_is_one_mail_from_all_workers(failing: Site, mail_server: MailServer):
    failing.write_settings(EMAIL_URL=f"smtp://127.0.0.1:{mail_server.port}", WEB_CONCURRENCY="3")
    web(failing)
    assert {failing.get("/fail/")[0] for _ in range(60)} == {500}
    mail = BytesParser(policy=default).parsebytes(mail_server.mails.get(timeout=20))
    assert mail["Subject"].startswith("[My Project] ERROR")
    assert "on purpose" in mail.get_content()
    # A worker that stops sends what waits first.
    failing.stop(failing.started[0])
    assert mail_server.mails.empty()


def test_clients_that_stall_do_not_hold_health_for_ever(site: Site):
    """One for each thread, in the middle of a request, and open until health has answered."""
    site.write_settings(WEB_CONCURRENCY="1", WEB_THREADS="2")
    web(site)
    stalled = [socket.create_connection(("127.0.0.1", site.port)) for _ in range(2)]
    for client in stalled:
        client.sendall(b"GET / HTTP/1.1\r\nHost: 127")
    until(lambda: site.get("/healthz")[0] == 200, 60, "answered beside stalled clients")
    for client in stalled:
        client.close()


@pytest.mark.parametrize("number", ["0", "-1", "many"])
def test_a_number_of_workers_that_cannot_work(site: Site, number: str):
    site.write_settings(WEB_CONCURRENCY=number)
    done = site.run(*WEB)
    assert done.returncode != 0
    assert f"WEB_CONCURRENCY is {number}" in (done.stdout + done.stderr).replace("'", "")


def test_a_port_that_is_none(site: Site):
    site.write_settings(BIND=None, PORT="http")
    done = site.run(*WEB)
    assert done.returncode != 0
    assert "PORT is 'http'" in done.stdout + done.stderr


def test_pages_without_static_files_are_not_ready(site: Site):
    (site.path / "staticfiles" / "staticfiles.json").unlink()
    web(site)
    status, body = site.get("/readyz")
    assert status == 503
    assert "manage.py collectstatic" in body
    assert site.get("/healthz")[0] == 200
