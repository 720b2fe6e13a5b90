"""Database servers that the tests may use: named by the environment, never guessed."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest

from bench.databases import MARIADB, POSTGRESQL, statements

VARIABLES = {"postgresql": "POSTGRESQL_URL", "mysql": "MYSQL_URL"}
KINDS = {"postgresql": POSTGRESQL, "mysql": MARIADB}
IN_CI = os.environ.get("CI") == "true"


def server_url(database: str, name: str) -> str:
    """URL of the database `name` on the server of this kind.

    Without a server the test is skipped, or fails where continuous integration promised one.
    """
    variable = VARIABLES[database]
    url = os.environ.get(variable, "")
    if not url:
        refuse(f"no {database} server: name one, such as {variable}={database}://user@127.0.0.1/x")
    parts = urlsplit(url)
    default_port = {"postgresql": 5432, "mysql": 3306}[database]
    try:
        socket.create_connection((parts.hostname or "", parts.port or default_port), 5).close()
    except OSError as error:
        refuse(f"{variable}: {parts.netloc} does not answer ({error})")
    return f"{url.rpartition('/')[0]}/{name}"


@contextmanager
def made_database(database: str, name: str, options: str = "") -> Iterator[str]:
    """A new database of that name on the server of this kind: its URL. It is dropped afterwards.

    ``options`` end the statement ``CREATE DATABASE``.

    Without a server the test is skipped or fails, as ``server_url`` says.
    """
    url = server_url(database, name)
    kind = KINDS[database]
    statements(kind, f"DROP DATABASE IF EXISTS {name}", f"CREATE DATABASE {name} {options}")
    try:
        yield url
    finally:
        statements(kind, f"DROP DATABASE {name}")


def refuse(reason: str) -> None:
    if IN_CI:
        pytest.fail(reason)
    pytest.skip(reason)
