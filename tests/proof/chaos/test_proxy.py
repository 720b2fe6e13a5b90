"""The proxy does to a connection what the faults say."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from queue import Queue

import pytest

from .proxy import Loop, Proxy


class Server:
    """Takes connections, and what arrives on them."""

    def __init__(self) -> None:
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.heard: Queue[bytes] = Queue()
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            threading.Thread(target=self._listen, args=(connection,), daemon=True).start()

    def _listen(self, connection: socket.socket) -> None:
        try:
            while data := connection.recv(100):
                self.heard.put(data)
                connection.sendall(b"reply")
        except OSError:
            pass
        self.heard.put(b"(closed)")


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.socket.close()


@pytest.fixture
def proxy(server: Server) -> Proxy:
    return Proxy(Loop(), server.port)


def dial(proxy: Proxy) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", proxy.port), 10)
    connection.sendall(b"hello")
    assert connection.recv(100) == b"reply"
    return connection


def test_a_cut_resets_both_ends_and_new_connections_are_served(proxy, server):
    connection = dial(proxy)
    proxy.cut()
    with pytest.raises(ConnectionResetError):
        connection.recv(100)
    assert [server.heard.get(timeout=10) for _ in range(2)] == [b"hello", b"(closed)"]
    dial(proxy)


def test_what_is_stalled_passes_after_all(proxy, server):
    connection = dial(proxy)
    proxy.stall()
    connection.sendall(b"later")
    connection.settimeout(0.2)
    with pytest.raises(TimeoutError):
        connection.recv(100)
    proxy.resume()
    connection.settimeout(10)
    assert connection.recv(100) == b"reply"


def test_a_late_cut_delivers_what_the_client_had_sent_after_the_client_is_gone(proxy, server):
    connection = dial(proxy)
    assert server.heard.get(timeout=10) == b"hello"
    cutting = threading.Thread(target=proxy.cut_late)
    cutting.start()
    while not any(not pair.gate.is_set() for pair in list(proxy.pairs)):
        pass
    connection.sendall(b"COMMIT")
    with pytest.raises(ConnectionResetError):
        connection.recv(100)
    assert server.heard.empty()
    back = dial(proxy)
    assert server.heard.get(timeout=10) == b"hello"
    assert server.heard.get(timeout=10) == b"COMMIT"
    back.close()
    cutting.join()


def test_new_connections_are_served_after_a_stall_that_ends_in_a_late_cut(proxy):
    connection = dial(proxy)
    proxy.stall()
    proxy.cut_late()
    with pytest.raises(ConnectionResetError):
        connection.recv(100)
    connection = socket.create_connection(("127.0.0.1", proxy.port), 10)
    connection.sendall(b"hello")
    assert connection.recv(100) == b"reply"
