"""``DATABASE_URL`` as people and hosting services write it. Nothing is connected to."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from config.database import database, place_of, split
from config.database_options import mysql_options, postgresql_options

needs_psycopg = pytest.mark.skipif(
    not importlib.util.find_spec("psycopg"), reason="psycopg is not installed"
)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("postgres://me:pw@db.example:5433/shop", ("me", "pw", "db.example", "5433", "shop")),
        ("postgres:///shop", ("", "", "", "", "shop")),
        ("mysql://me:p%40%2F%23%25w@db/a%2Fb", ("me", "p@/#%w", "db", "", "a/b")),
        ("mysql://me:p@w@db/shop", ("me", "p@w", "db", "", "shop")),
        ("mysql://me:a+b@db/c+d", ("me", "a+b", "db", "", "c+d")),
        ("postgres://me@%2Fvar%2Frun%2FPG/shop", ("me", "", "/var/run/PG", "", "shop")),
        ("postgres://me@//var/run/pg/shop", ("me", "", "/var/run/pg", "", "shop")),
        ("mysql://me@%2Frun%2Fmysqld.sock/shop", ("me", "", "/run/mysqld.sock", "", "shop")),
        ("postgres://me@[::1]:5433/shop", ("me", "", "::1", "5433", "shop")),
        ("postgres://me@a:1,b:2/shop", ("me", "", "a,b", "1,2", "shop")),
    ],
)
def test_the_place(url: str, expected: tuple[str, ...]) -> None:
    place = place_of(split(url))
    assert tuple(place[key] for key in ("USER", "PASSWORD", "HOST", "PORT", "NAME")) == expected


@needs_psycopg
@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", {"CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True}),
        ("conn_max_age=0", {"CONN_MAX_AGE": 0}),
        ("conn_max_age=600", {"CONN_MAX_AGE": 600}),
        ("conn_max_age=None", {"CONN_MAX_AGE": None}),
        ("conn_health_checks=false", {"CONN_HEALTH_CHECKS": False}),
        ("atomic_requests=false", {"ATOMIC_REQUESTS": False}),
        ("disable_server_side_cursors=yes", {"DISABLE_SERVER_SIDE_CURSORS": True}),
        ("pool=true", {"CONN_MAX_AGE": 0, "OPTIONS": {"connect_timeout": 10, "pool": True}}),
        ("pool=false", {"CONN_MAX_AGE": 60, "OPTIONS": {"connect_timeout": 10, "pool": False}}),
        ("connect_timeout=3", {"OPTIONS": {"connect_timeout": 3}}),
        (
            "isolation_level=READ-COMMITTED",
            {"OPTIONS": {"connect_timeout": 10, "isolation_level": 2}},
        ),
        ("dbname=other", {"NAME": "other", "OPTIONS": {"connect_timeout": 10}}),
        ("Host=/run/pg&PASSWORD=pw", {"HOST": "/run/pg", "PASSWORD": "pw"}),
        ("host=/run/pg&password=pw", {"HOST": "/run/pg", "PASSWORD": "pw"}),
    ],
)
def test_the_url_wins_over_defaults_and_has_types(query: str, expected: dict[str, Any]) -> None:
    settings = database(f"postgres:///shop?{query}", Path("/x"))
    assert {key: settings[key] for key in expected} == expected


@needs_psycopg
@pytest.mark.parametrize(
    ("query", "options"),
    [
        ({"sslmode": "require"}, {"sslmode": "require"}),
        ({"ssl-mode": "require"}, {"sslmode": "require"}),
        ({"ssl": "true"}, {"sslmode": "require"}),
        ({"channel_binding": "require"}, {"channel_binding": "require"}),
        ({"application_name": "shop"}, {"application_name": "shop"}),
        ({"prepare_threshold": "None"}, {"prepare_threshold": None}),
    ],
)
def test_options_for_postgresql(query: dict[str, str], options: dict[str, Any]) -> None:
    assert postgresql_options(query) == {"OPTIONS": options}


@pytest.mark.parametrize(
    ("query", "options"),
    [
        ({"ssl-mode": "REQUIRED"}, {"ssl_mode": "REQUIRED"}),
        ({"ssl_mode": "preferred"}, {"ssl_mode": "PREFERRED"}),
        ({"sslmode": "require"}, {"ssl_mode": "REQUIRED"}),
        ({"sslMode": "VERIFY_IDENTITY"}, {"ssl_mode": "VERIFY_IDENTITY"}),
        ({"sslmode": "verify-full"}, {"ssl_mode": "VERIFY_IDENTITY"}),
        ({"reconnect": "true"}, {}),
        ({"charset": "utf8mb4"}, {"charset": "utf8mb4"}),
        ({"read_timeout": "30"}, {"read_timeout": 30}),
        ({"ssl-ca": "/ca", "ssl-key": "/key"}, {"ssl": {"ca": "/ca", "key": "/key"}}),
    ],
)
def test_options_for_mysql(query: dict[str, str], options: dict[str, Any]) -> None:
    assert mysql_options(query) == {"OPTIONS": options}


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"useSSL": "true"}, ["'useSSL'", "ssl_mode"]),
        ({"serverTimezone": "UTC"}, ["'serverTimezone'", "Remove it"]),
        ({"autocommit": "false"}, ["'autocommit'"]),
        ({"ssl-mode": "maybe"}, ["ssl-mode=maybe", "VERIFY_CA"]),
        ({"connect_timeout": "soon"}, ["connect_timeout=soon", "a whole number"]),
        ({"conn_max_age": "long"}, ["conn_max_age=long", "a whole number"]),
        ({"atomic_requests": "nope"}, ["atomic_requests=nope", "true or false"]),
        ({"ssl_ca": ""}, ["ssl_ca=.", "a text"]),
    ],
)
def test_what_no_driver_takes_is_refused_by_name(query: dict[str, str], words: list[str]) -> None:
    with pytest.raises(ImproperlyConfigured) as refused:
        mysql_options(query)
    assert all(word in str(refused.value) for word in words), refused.value


@needs_psycopg
@pytest.mark.parametrize("name", ["pgbouncer", "schema", "ssl_mod", "autocommit"])
def test_what_libpq_does_not_take_is_refused_by_name(name: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=f"the option '{name}'"):
        database(f"postgres:///shop?{name}=true", Path("/x"))


@needs_psycopg
@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("postgres:///x?sslmode=bogus", "sslmode=bogus. Accepted is one of disable, allow"),
        ("postgres:///x?sslmode=require&sslmode=disable", "sslmode twice"),
        ("postgres:///x?ssl-mode=require&sslmode=disable", "ssl-mode and sslmode"),
        ("postgres:///x?connect_timeout=soon", "connect_timeout=soon. Accepted is a whole number"),
        ("postgres:///x?isolation_level=9", "isolation_level=9. Accepted is one of read uncomm"),
        ("postgres:///x?conn_max_age=-1", "conn_max_age=-1. Accepted is a whole number of 0"),
        ("postgres:///x?pool=true&conn_max_age=60", "pool and conn_max_age"),
        ("postgres:///x?port=abc", "malformed"),
        ("postgres://me:CANARY@h:0/x", "malformed"),
        ("postgres://me:CANARY@h//x", "// between HOST and NAME"),
        ("postgres://me:CANARY\n@h/x", "a line break"),
        ("postgres://me:CANARY%00@h/x", "a line break or an invisible character"),
        ("postgres://me:CANARY@h/x\u200b", "an invisible character"),
        ("postgres://me:CANARY%E4@h/x", "bytes that are not UTF-8"),
        ("'postgres://me:CANARY@h/x'", "in quotation marks"),
        ("postgresql+psycopg://me:CANARY@h/x", r"begins with postgresql\+psycopg://"),
        ("me:CANARY@h/x", "is no URL"),
        ("sqlite:///x?timeout=nan", "timeout=nan. Accepted is a number of seconds"),
        ("sqlite:///x?transaction_mode=late", "transaction_mode=late. Accepted is one of IMMED"),
    ],
)
def test_what_would_fail_with_the_first_connection_or_change_its_meaning(
    url: str, words: str
) -> None:
    with pytest.raises(ImproperlyConfigured, match=words) as refused:
        database(url, Path("/x"))
    assert "CANARY" not in str(refused.value)


@needs_psycopg
def test_a_scheme_may_stand_in_upper_case() -> None:
    assert database("POSTGRES://me@h/Shop", Path("/x"))["NAME"] == "Shop"


@pytest.mark.parametrize("scheme", ["postgres", "mysql"])
@pytest.mark.parametrize(
    "password", ["CANARY/b", "CANARY?b", "CANARY#b", "a@CANARY/b", "CANARY/@b"]
)
@pytest.mark.parametrize("rest", ["127.0.0.1:5432/shop", "db/shop?ssl-mode=REQUIRED"])
def test_a_password_as_it_is_is_named_as_the_cause(scheme: str, password: str, rest: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="write / as %2F") as refused:
        database(f"{scheme}://me:{password}@{rest}", Path("/x"))
    assert "CANARY" not in str(refused.value)


@pytest.mark.parametrize(
    "url",
    [
        "postgres://me:CANARY@host:port/x",
        "postgres://me:CANARY@host:99999/x",
        "postgres://me:CANARY@[::1/x",
        "sqlite:///CANARY#x",
    ],
)
def test_a_malformed_url_is_repeated_nowhere(url: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="malformed") as refused:
        database(url, Path("/x"))
    assert "CANARY" not in str(refused.value)
    # Its traceback would show what urllib says of it.
    assert refused.value.__cause__ is None
    assert refused.value.__suppress_context__ or refused.value.__context__ is None


@pytest.mark.parametrize(
    ("url", "name", "timeout"),
    [
        ("sqlite:///db.sqlite3", "/x/db.sqlite3", 20),
        ("sqlite:////a%20b/c+d@e.sqlite3?timeout=2.5", "/a b/c+d@e.sqlite3", 2.5),
    ],
)
def test_a_file_of_sqlite(url: str, name: str, timeout: float) -> None:
    settings = database(url, Path("/x"))
    assert settings["NAME"] == name
    assert settings["OPTIONS"]["timeout"] == timeout
    assert settings["OPTIONS"]["transaction_mode"] == "IMMEDIATE"
