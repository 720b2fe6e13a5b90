"""Database servers of our own: own port, own data directory, ended by the ids that we started."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

PATH = f"{os.environ.get('PATH', '')}:/usr/sbin"
STARTS_WITHIN = 60.0
"""Seconds after which a server that does not accept connections is an error."""


class Server:
    """A database server as a tree of processes."""

    scheme = ""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    def url(self, port: int) -> str:
        return f"{self.scheme}@127.0.0.1:{port}/chaos"

    def missing(self) -> str:
        """What to install before one can be started here; empty: nothing."""
        raise NotImplementedError

    def create(self) -> None:
        """Make the data directory, start, and make the database."""
        self._initialize()
        self.start()
        self._create_database()

    def start(self) -> None:
        """Returns when it accepts connections."""
        log = (self.folder / "server.log").open("ab")
        self._process = subprocess.Popen(
            self._command(), stdout=log, stderr=log, start_new_session=True, user=self._user()
        )
        log.close()
        end = time.monotonic() + STARTS_WITHIN
        while not self._accepts():
            if time.monotonic() > end or self._process.poll() is not None:
                text = (self.folder / "server.log").read_text(errors="replace")[-2000:]
                raise RuntimeError(f"the {self.scheme} server did not start:\n{text}")
            time.sleep(0.02)

    def stop(self) -> None:
        """The fast, orderly stop that an operator's restart does."""
        assert self._process is not None
        self._process.send_signal(self._stop_signal)
        self._process.wait(60)

    def crash(self) -> None:
        """kill -9 for all of it; returns when all of it is gone."""
        assert self._process is not None
        ours = tree(self._process.pid)
        self._signal_tree(signal.SIGKILL)
        self._process.wait(60)
        while any(Path(f"/proc/{pid}").exists() for pid in ours):
            time.sleep(0.01)

    def freeze(self) -> None:
        self._signal_tree(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal_tree(signal.SIGCONT)

    def end(self) -> None:
        """However it is. Its files stay."""
        if self._process is not None and self._process.poll() is None:
            self.thaw()
            self.crash()

    _stop_signal = signal.SIGTERM

    def _initialize(self) -> None:
        raise NotImplementedError

    def _command(self) -> Sequence[str]:
        raise NotImplementedError

    def _create_database(self) -> None:
        raise NotImplementedError

    def _accepts(self) -> bool:
        raise NotImplementedError

    def _user(self) -> str | None:
        """Whose processes: PostgreSQL refuses to run as root."""
        return None

    def _signal_tree(self, number: int) -> None:
        assert self._process is not None
        for pid in tree(self._process.pid):
            with suppress(ProcessLookupError):
                os.kill(pid, number)


class PostgreSQL(Server):
    scheme = "postgres://postgres"
    _stop_signal = signal.SIGINT  # "fast": sessions are ended, nothing is waited for

    def missing(self) -> str:
        needed = "" if find_spec("psycopg") else "psycopg"
        return needed or ("" if self._find("initdb") else "PostgreSQL's server")

    def _initialize(self) -> None:
        self.folder.mkdir(parents=True)
        if os.geteuid() == 0:
            shutil.chown(self.folder, "postgres")
        command = [self._binary("initdb"), "-D", str(self.folder / "data"), "-U", "postgres",
                   "-A", "trust", "--no-sync"]  # fmt: skip
        subprocess.run(command, check=True, capture_output=True, user=self._user())

    def _command(self) -> Sequence[str]:
        return [
            self._binary("postgres"), "-D", str(self.folder / "data"), "-p", str(self.port),
            "-k", str(self.folder), "-c", "listen_addresses=127.0.0.1", "-c", "timezone=Asia/Tokyo",
        ]  # fmt: skip

    def _user(self) -> str | None:
        return "postgres" if os.geteuid() == 0 else None

    def _create_database(self) -> None:
        with self._connect() as connection:
            connection.execute("CREATE DATABASE chaos")

    def _accepts(self) -> bool:
        import psycopg

        with suppress(psycopg.Error):
            self._connect().close()
            return True
        return False

    def _connect(self) -> Any:
        import psycopg

        return psycopg.connect(
            f"postgres://postgres@127.0.0.1:{self.port}/postgres", autocommit=True
        )

    def _binary(self, name: str) -> str:
        path = self._find(name)
        assert path is not None
        return path

    def _find(self, name: str) -> str | None:
        found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), reverse=True)
        return str(found[0]) if found else shutil.which(name)


class MariaDB(Server):
    scheme = "mysql://root"

    def missing(self) -> str:
        needed = "" if find_spec("MySQLdb") else "mysqlclient"
        has_server = shutil.which("mariadb-install-db") and shutil.which("mariadbd", path=PATH)
        return needed or ("" if has_server else "MariaDB's server")

    def _initialize(self) -> None:
        self.folder.mkdir(parents=True)
        command = ["mariadb-install-db", "--no-defaults", f"--datadir={self.folder / 'data'}",
                   "--skip-test-db", *self._as_root()]  # fmt: skip
        subprocess.run(command, check=True, capture_output=True)

    def _command(self) -> Sequence[str]:
        return [
            shutil.which("mariadbd", path=PATH) or "mariadbd", "--no-defaults",
            f"--datadir={self.folder / 'data'}", f"--port={self.port}",
            f"--socket={self.folder / 's'}", f"--pid-file={self.folder / 'pid'}",
            "--bind-address=127.0.0.1", "--skip-grant-tables", "--skip-networking=0",
            "--default-time-zone=+05:00", *self._as_root(),
        ]  # fmt: skip

    def _create_database(self) -> None:
        with self._connect() as connection:
            connection.cursor().execute("CREATE DATABASE chaos CHARACTER SET utf8mb4")

    def _accepts(self) -> bool:
        import MySQLdb

        with suppress(MySQLdb.Error):
            self._connect().close()
            return True
        return False

    def _connect(self) -> Any:
        import MySQLdb

        return MySQLdb.connect(host="127.0.0.1", port=self.port, user="root", autocommit=True)

    def _as_root(self) -> list[str]:
        return ["--user=root"] if os.geteuid() == 0 else []


class SQLite:
    """A file. It has no server to restart and no connection to cut."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def url(self, port: int = 0) -> str:
        return f"sqlite:///{self.folder / 'chaos.sqlite3'}"

    def missing(self) -> str:
        return ""

    def create(self) -> None:
        self.folder.mkdir(parents=True)

    def end(self) -> None:
        pass


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def tree(pid: int) -> list[int]:
    """The process and all that it started, parents first."""
    found = [pid]
    for parent in found:
        found += _children(parent)
    return found


def _children(pid: int) -> list[int]:
    with suppress(OSError):
        return [int(c) for c in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return []
