"""``make docs``: the documents build as a site, without a warning and with the project's pages."""

from __future__ import annotations

import subprocess

import pytest

from docs import build

pytestmark = pytest.mark.slow


def test_the_site_builds_without_a_warning(tmp_path):
    index = build.build(tmp_path / "site")
    assert "Tutorial" in index.read_text(encoding="utf-8")
    jobs = (index.parent / "project" / "jobs.html").read_text(encoding="utf-8")
    assert "cookiecutter." not in jobs
    reminders = (index.parent / "how-to" / "reminders.html").read_text(encoding="utf-8")
    assert "{{" not in reminders


def test_a_dead_link_fails_the_build(tmp_path, monkeypatch):
    monkeypatch.setattr(build, "PAGES", [*build.PAGES[:-1], "SECURITY.md"])  # without the README
    (tmp_path / "site").mkdir()
    with pytest.raises(subprocess.CalledProcessError):
        build.build(tmp_path / "site")
