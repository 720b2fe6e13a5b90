"""A database that cannot hold every letter is refused before a job needs one."""

from __future__ import annotations

import os
import subprocess
import sys
from urllib.parse import urlsplit

import pytest

from bench.databases import MARIADB, statements
from tests.servers import made_database
from tests.settings import ROOT, TEMPLATE

LATIN1 = "CHARACTER SET latin1"
SMALL = [
    ("mysql", LATIN1, "latin1"),
    ("mysql", "CHARACTER SET utf8mb3", "utf8mb3"),
    ("postgresql", "ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0", "LATIN1"),
    ("postgresql", "ENCODING 'SQL_ASCII' LOCALE 'C' TEMPLATE template0", "SQL_ASCII"),
]
NAME = f"letters_{os.getpid()}"


def manage(url: str, *words: str, code: int = 0) -> str:
    """What ``manage.py`` says with that exit code."""
    path = os.pathsep.join([str(ROOT), str(TEMPLATE)])
    done = subprocess.run(
        [sys.executable, "-m", "django", *words],
        env=os.environ | {"TEST_DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "tests.settings",
                          "PYTHONPATH": path, "PYTHONUTF8": "1"},
        cwd=ROOT, capture_output=True, text=True, encoding="utf-8", timeout=120,
    )  # fmt: skip
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


def check(url: str, code: int = 0) -> str:
    return manage(url, "check", "--database", "default", code=code)


@pytest.mark.parametrize(("database", "options", "named"), SMALL)
def test_a_small_character_set_is_refused_before_tables_are_made(database, options, named):
    with made_database(database, NAME, options) as url:
        for words in (("check", "--database", "default"), ("migrate",)):
            said = manage(url, *words, code=1)
            assert "scheduler.E018" in said
            assert named in said


@pytest.mark.parametrize(
    ("database", "options", "named"),
    [(*SMALL[0][:2], "other than utf8mb4"), (*SMALL[2][:2], "encoding LATIN1")],
)
def test_a_scheduler_refuses_it_at_start_and_says_what_to_do(database, options, named):
    with made_database(database, NAME, options) as url:
        manage(url, "migrate", "--skip-checks")
        said = manage(url, "runapscheduler", code=1)
        assert named in said
        assert "CommandError: " in said
        assert "make another database" in said.lower()


def test_the_remedy_for_a_new_database_of_mariadb_mends_it():
    with made_database("mysql", NAME, LATIN1) as url:
        said = check(url, code=1)
        remedy = f"ALTER DATABASE `{NAME}` CHARACTER SET utf8mb4"
        assert remedy in said
        statements(MARIADB, remedy)
        manage(url, "migrate")
        assert "no issues" in check(url)


def test_small_tables_are_named_and_the_remedy_moves_their_rows():
    add = ("add", "tests.bodies:noop", "interval", "hours=1", "--by", "Zoë", "--id")
    with made_database("mysql", NAME, LATIN1) as url, made_database("mysql", f"{NAME}_2") as new:
        manage(url, "migrate", "--skip-checks")
        manage(url, "scheduler", *add, "first")
        statements(MARIADB, f"ALTER DATABASE {NAME} CHARACTER SET utf8mb4")
        said = check(url, code=1)
        assert "tables of the database 'default', such as scheduler_" in said
        assert "mariadb-dump --no-create-info --replace OLD | mariadb NEW" in said

        manage(new, "migrate")
        move_rows(url, new)
        assert "no issues" in check(new)
        assert "Zoë" in manage(new, "scheduler", "show", "first")
        assert "Added 🐝" in manage(new, "scheduler", *add, "🐝")


def move_rows(old: str, new: str) -> None:
    of, to = urlsplit(old), urlsplit(new)
    login = [f"--host={of.hostname}", f"--port={of.port}", f"--user={of.username}"]
    password = os.environ | {"MYSQL_PWD": of.password or ""}
    dump = subprocess.run(
        ["mariadb-dump", *login, "--no-create-info", "--replace", of.path[1:]],
        env=password, capture_output=True, check=True,
    )  # fmt: skip
    subprocess.run(["mariadb", *login, to.path[1:]], env=password, input=dump.stdout, check=True)


@pytest.mark.parametrize("encoding", ["LATIN1", "SQL_ASCII"])
def test_the_remedy_of_postgresql_moves_what_is_there(encoding):
    options = f"ENCODING '{encoding}' LOCALE 'C' TEMPLATE template0"
    full = "ENCODING 'UTF8' TEMPLATE template0"
    add = ("add", "tests.bodies:noop", "interval", "hours=1", "--by", "Zoë", "--id")
    with (
        made_database("postgresql", NAME, options) as url,
        made_database("postgresql", f"{NAME}_2", full) as new,
    ):
        manage(url, "migrate", "--skip-checks")
        manage(url, "scheduler", *add, "first")
        assert "pg_dump OLD | psql NEW" in check(url, code=1)

        old_uri, new_uri = (each.replace("postgres:", "postgresql:") for each in (url, new))
        dump = subprocess.run(["pg_dump", old_uri], capture_output=True, check=True)
        load = ["psql", "--quiet", "--set=ON_ERROR_STOP=1", new_uri]
        subprocess.run(load, input=dump.stdout, check=True, stdout=subprocess.DEVNULL)
        assert "no issues" in check(new)
        assert "Zoë" in manage(new, "scheduler", "show", "first")
        assert "Added 🐝" in manage(new, "scheduler", *add, "🐝")


def test_a_small_character_set_of_the_connection_is_named():
    with made_database("mysql", NAME) as url:
        said = check(f"{url}?charset=latin1", code=1)
        assert "Connections to the database 'default' use the character set latin1" in said
        assert "?charset=" in said


@pytest.mark.parametrize("database", ["mysql", "postgresql"])
def test_a_full_character_set_passes(database):
    with made_database(database, NAME) as url:
        manage(url, "migrate")
        assert "no issues" in check(url)
