"""A proxy before PostgreSQL that counts the statements which it is sent, whoever sends them."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

STATEMENTS = b"QE"
"""Messages of the protocol: a simple query, and the execution of a prepared one."""


class Counter:
    """Counts of all connections through ``port``."""

    def __init__(self, host: str, port: int) -> None:
        self._server = (host, port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._lock = threading.Lock()
        self.port: int = self._listener.getsockname()[1]
        self.statements = 0

    def serve(self) -> None:
        """Pass connections on until ``close()``."""
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.create_connection(self._server)
            for target in (self._count, self._pass_back):
                threading.Thread(target=target, args=(client, server), daemon=True).start()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _count(self, client: socket.socket, server: socket.socket) -> None:
        buffer, first = b"", True
        while data := _received(client):
            server.sendall(data)
            buffer += data
            while True:
                header = 4 if first else 5  # what opens a connection has no letter
                if len(buffer) < header:
                    break
                length = header - 4 + int.from_bytes(buffer[header - 4 : header], "big")
                if len(buffer) < length:
                    break
                if not first and buffer[:1] in STATEMENTS:
                    with self._lock:
                        self.statements += 1
                buffer, first = buffer[length:], False
        server.close()

    def _pass_back(self, client: socket.socket, server: socket.socket) -> None:
        while data := _received(server):
            client.sendall(data)
        client.close()


@contextmanager
def counting(host: str, port: int) -> Iterator[Counter]:
    counter = Counter(host, port)
    threading.Thread(target=counter.serve, daemon=True).start()
    try:
        yield counter
    finally:
        counter.close()


def _received(side: socket.socket) -> bytes:
    try:
        return side.recv(65_536)
    except OSError:
        return b""
