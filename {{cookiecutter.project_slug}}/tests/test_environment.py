"""``.env`` as editors write it."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from config.environment import read_environment

TEXT = "DEBUG=true\r\n# a comment: \u00fc\r\n  # another\r\n\r\nexport SHOP_NAME=Caf\u00e9 \r\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_byte_order_mark_hides_nothing(tmp_path: Path, encoding: str, monkeypatch) -> None:
    monkeypatch.delenv("DEBUG", raising=False)
    (tmp_path / ".env").write_bytes(TEXT.encode(encoding))
    env = read_environment(tmp_path / ".env")
    assert env.bool("DEBUG") is True
    assert env.raw("SHOP_NAME") == "Caf\u00e9"


@pytest.mark.parametrize(
    ("encoding", "message"),
    [("latin-1", r"\.env, line 2: not in UTF-8"), ("utf-16-le", r"\.env is not in UTF-8")],
)
def test_another_encoding_is_named_with_the_file(
    tmp_path: Path, encoding: str, message: str
) -> None:
    text = TEXT if encoding == "latin-1" else "DEBUG=true\n"
    (tmp_path / ".env").write_bytes(text.encode(encoding))
    with pytest.raises(ImproperlyConfigured, match=message):
        read_environment(tmp_path / ".env")


@pytest.mark.parametrize("line", ["METRICS_TOKEN = CANARY", "METRICS-TOKEN=CANARY", "CANARY"])
def test_a_line_that_would_be_dropped_is_refused_and_not_repeated(
    tmp_path: Path, line: str
) -> None:
    (tmp_path / ".env").write_text(f"DEBUG=true\n{line}\n")
    with pytest.raises(ImproperlyConfigured, match=r"line 2: write NAME=VALUE") as refused:
        read_environment(tmp_path / ".env")
    assert "CANARY" not in str(refused.value)


@pytest.mark.parametrize("value", ["shop # ours", "'shop' # ours", "# ours", '"a" b # "c"'])
def test_a_comment_that_would_become_the_value_is_refused(tmp_path: Path, value: str) -> None:
    (tmp_path / ".env").write_text(f"DEBUG=true\nSHOP_NAME= {value}\n")
    with pytest.raises(ImproperlyConfigured, match=r"line 2: give a comment a line of its own"):
        read_environment(tmp_path / ".env")


@pytest.mark.parametrize("value", ['"shop # 2"', "'shop # 2'", "shop#2"])
def test_a_hash_inside_of_a_value_stays(tmp_path: Path, value: str) -> None:
    (tmp_path / ".env").write_text(f"SHOP_NAME={value}\n")
    assert read_environment(tmp_path / ".env").raw("SHOP_NAME") == value.strip("\"'")


def test_a_folder_in_place_of_the_file_is_named(tmp_path: Path) -> None:
    (tmp_path / ".env").mkdir()
    with pytest.raises(ImproperlyConfigured, match="is a folder"):
        read_environment(tmp_path / ".env")


def test_the_environment_wins_and_an_empty_value_is_none(tmp_path: Path, monkeypatch) -> None:
    (tmp_path / ".env").write_text("ONE=file\nTWO=file\nTHREE=\n")
    monkeypatch.setenv("ONE", "environment\n")
    env = read_environment(tmp_path / ".env")
    assert [env.raw(name) for name in ("ONE", "TWO", "THREE")] == ["environment", "file", ""]


@pytest.mark.parametrize(
    ("written", "read"), [("a+b", "a+b"), ("a%2Bb", "a+b"), ("a%20b", "a b"), ("%C3%A4", "\u00e4")]
)
def test_the_password_of_the_mail_server_is_read_as_it_stands(
    tmp_path: Path, written: str, read: str, monkeypatch
) -> None:
    monkeypatch.setenv("EMAIL_URL", f"smtp+tls://{written}:{written}@mail.example.com:587")
    mail = read_environment(tmp_path / ".env").email_url()
    assert (mail["EMAIL_HOST_USER"], mail["EMAIL_HOST_PASSWORD"]) == (read, read)
