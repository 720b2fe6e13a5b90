"""The key that is made when a developer gave none."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from config.secret import secret_key


def test_the_given_key_is_used_and_nothing_is_written(tmp_path: Path) -> None:
    path = tmp_path / ".secret_key"
    assert secret_key("given", debug=True, path=path) == "given"
    assert not path.exists()


def test_development_keeps_one_key_that_only_its_owner_reads(tmp_path: Path) -> None:
    path = tmp_path / ".secret_key"
    key = secret_key("", debug=True, path=path)
    assert len(key) >= 50
    assert secret_key("", debug=True, path=path) == key
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [file.name for file in tmp_path.iterdir()] == [".secret_key"]


def test_processes_that_start_together_agree(tmp_path: Path) -> None:
    path = tmp_path / ".secret_key"
    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(lambda _: secret_key("", debug=True, path=path), range(40)))
    assert len(keys) == 1


def test_production_demands_one(tmp_path: Path) -> None:
    with pytest.raises(ImproperlyConfigured, match="token_urlsafe"):
        secret_key("", debug=False, path=tmp_path / ".secret_key")


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    path = tmp_path / "missing" / ".secret_key"
    with pytest.raises(ImproperlyConfigured, match=r"missing/\.secret_key"):
        secret_key("", debug=True, path=path)
