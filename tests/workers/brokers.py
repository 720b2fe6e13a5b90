"""Brokers of our own: own port, own folder, ended by the ids that we started."""

from __future__ import annotations

import shutil
import socket
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.proof.chaos.servers import Server, free_port
from tests.servers import refuse

RABBITMQ_SERVER = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
"""Debian's name in PATH is a wrapper that changes the user, and knows one node only."""


class Redis(Server):
    """Without persistence: killed, it has lost every message."""

    scheme = "redis"

    def url(self, port: int = 0) -> str:
        return f"redis://127.0.0.1:{port or self.port}/0"

    def missing(self) -> str:
        return "" if shutil.which("redis-server") else "redis-server"

    def _initialize(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)

    def _command(self) -> Sequence[str]:
        options = ["--port", str(self.port), "--save", "", "--dir", str(self.folder)]
        return ["redis-server", "--bind", "127.0.0.1", *options]

    def _create_database(self) -> None:
        pass

    def _accepts(self) -> bool:
        return _answers(self.port, b"PING\r\n", b"+PONG")


class RabbitMQ(Server):
    """A node of its own name, so that it knows nothing of others on this host."""

    scheme = "amqp"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._distribution_port = free_port()

    def url(self, port: int = 0) -> str:
        return f"amqp://guest:guest@127.0.0.1:{port or self.port}//"

    def missing(self) -> str:
        return "" if RABBITMQ_SERVER.exists() else "rabbitmq-server"

    def _environment(self) -> dict[str, str]:
        return {
            "HOME": str(self.folder),  # where its cookie is
            "RABBITMQ_NODENAME": f"test{self.port}@localhost",
            "RABBITMQ_DIST_PORT": str(self._distribution_port),
            "RABBITMQ_MNESIA_BASE": str(self.folder / "mnesia"),
            "RABBITMQ_LOG_BASE": str(self.folder / "log"),
            "RABBITMQ_LOGS": "-",
            "RABBITMQ_PID_FILE": str(self.folder / "pid"),
            "RABBITMQ_CONFIG_FILE": str(self.folder / "rabbitmq.conf"),
            "RABBITMQ_CONF_ENV_FILE": "/dev/null",
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self.folder / "plugins"),
        }

    def _initialize(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "plugins").write_text("[].\n")
        (self.folder / "rabbitmq.conf").write_text(f"listeners.tcp.1 = 127.0.0.1:{self.port}\n")

    def _command(self) -> Sequence[str]:
        variables = [f"{name}={value}" for name, value in self._environment().items()]
        return ["env", *variables, str(RABBITMQ_SERVER)]

    def _create_database(self) -> None:
        pass

    def _accepts(self) -> bool:
        return _answers(self.port, b"AMQP\x00\x00\x09\x01", b"\x01")


KINDS: dict[str, type[Redis] | type[RabbitMQ]] = {"redis": Redis, "rabbitmq": RabbitMQ}


@contextmanager
def broker(kind: str) -> Iterator[Redis | RabbitMQ]:
    """A running broker of its own. Without its program the test is skipped, or fails in CI."""
    folder = Path(tempfile.mkdtemp(prefix=f"{kind}-"))
    folder.chmod(0o755)
    made = KINDS[kind](folder / "server")
    if missing := made.missing():
        refuse(f"install {missing}")
    made.create()
    try:
        yield made
    finally:
        made.end()
        shutil.rmtree(folder, ignore_errors=True)


def _answers(port: int, question: bytes, begin: bytes) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), 1) as connection:
            connection.settimeout(2)
            connection.sendall(question)
            return connection.recv(64).startswith(begin)
    except OSError:
        return False
