"""``python -m bench.proxy HOST PORT DELAY``: a database that is farther away.

Stands before a server and holds each answer back for DELAY seconds, as a network would. It is
a process of its own, so that it takes no turns from the interpreter that is measured. Prints the
port at which it listens.
"""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


@contextmanager
def before(host: str, port: int, delay: float) -> Iterator[int]:
    """Run it before a server; yields its own port on this host."""
    child = subprocess.Popen(
        [sys.executable, "-m", "bench.proxy", host, str(port), str(delay)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    try:
        yield int(child.stdout.readline())
    finally:
        child.terminate()
        child.wait()


def main() -> None:
    target, delay = (sys.argv[1], int(sys.argv[2])), float(sys.argv[3])
    listener = socket.create_server(("127.0.0.1", 0))
    print(listener.getsockname()[1], flush=True)
    while True:
        client, _ = listener.accept()
        server = socket.create_connection(target)
        for one in (client, server):
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for source, sink, held in ((client, server, 0.0), (server, client, delay)):
            threading.Thread(target=_pump, args=(source, sink, held), daemon=True).start()


def _pump(source: socket.socket, sink: socket.socket, held: float) -> None:
    with suppress(OSError):
        while data := source.recv(1 << 20):
            if held:
                time.sleep(held)
            sink.sendall(data)
    for end in (source, sink):
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)


if __name__ == "__main__":
    main()
