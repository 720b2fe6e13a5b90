"""A process knows whether the code on disk is the one that it runs."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.apps import apps
from django.conf import settings
from scheduler import codeversion
from scheduler.definitions import loading
from scheduler.errors import DefinitionError


@pytest.fixture
def project(monkeypatch, tmp_path: Path) -> Path:
    """An app of one file, and a process that has just started."""
    (tmp_path / "jobs.py").write_text("first = 1\n")
    configs = [SimpleNamespace(label="shop", path=str(tmp_path))]
    monkeypatch.setattr(apps, "get_app_configs", lambda: configs)
    monkeypatch.setattr(codeversion, "_changed", False)
    monkeypatch.setattr(codeversion, "_check_at", 0.0)
    module = SimpleNamespace(__file__=str(tmp_path.parent / "settings.txt"))
    Path(module.__file__).write_text("INSTALLED_APPS = []")
    monkeypatch.setitem(sys.modules, settings.SETTINGS_MODULE, module)
    codeversion.digest.cache_clear()
    codeversion._settings_at_start.cache_clear()
    codeversion.digest()
    yield tmp_path
    codeversion.digest.cache_clear()
    codeversion._settings_at_start.cache_clear()


def test_the_digest_is_that_of_the_start(project):
    before = codeversion.digest()
    (project / "jobs.py").write_text("second = 2\n")
    assert codeversion.digest() == before
    assert codeversion.read() != before
    assert codeversion.is_outdated()


@pytest.mark.parametrize(
    "change",
    [
        lambda folder: (folder / "more.py").write_text(""),
        lambda folder: (folder / "jobs.py").rename(folder / "tasks.py"),
        lambda folder: (folder / "jobs.py").unlink(),
    ],
)
def test_a_file_more_or_less_or_of_another_name_is_a_change(project, change):
    change(project)
    assert codeversion.is_outdated()


def test_other_settings_are_a_change_but_no_other_code(project):
    """A new app is in no old process's list, so that its files tell nothing there."""
    before = codeversion.digest()
    (project.parent / "settings.txt").write_text("INSTALLED_APPS = ['blog']")
    assert codeversion.read() == before
    assert codeversion.is_outdated()


def test_what_is_no_code_and_what_is_installed_is_none(project, monkeypatch):
    (project / "notes.txt").write_text("x")
    installed = project / "site-packages" / "lib"
    installed.mkdir(parents=True)
    (installed / "a.py").write_text("x")
    before = codeversion.digest()
    both = [*apps.get_app_configs(), SimpleNamespace(label="lib", path=str(installed))]
    (project / "site-packages").rename(project.parent / "site-packages")
    both[1].path = str(project.parent / "site-packages" / "lib")
    monkeypatch.setattr(apps, "get_app_configs", lambda: both)
    assert codeversion.read() == before


def test_a_function_that_this_process_cannot_know_yet_asks_for_a_restart(project):
    job = SimpleNamespace(id="a", func="tests.bodies:not_written_yet")
    with pytest.raises(DefinitionError) as before:
        loading.decode(job, "func")
    assert "restart" not in str(before.value)
    (project / "jobs.py").write_text("second = 2\n")
    codeversion._check_at = 0.0
    with pytest.raises(DefinitionError, match="started: restart it"):
        loading.decode(job, "func")
