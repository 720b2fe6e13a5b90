"""Functions by name, and what a row may not name."""

from __future__ import annotations

import functools
import os
import sys

import pytest

from scheduler.definitions import references
from scheduler.definitions.references import FunctionError, ref, resolve

JOBS = """
import os
from os import getcwd
from functools import partial

def beat(): return "beat"

class Report:
    def send(self): ...
    @classmethod
    def build(cls): return cls
    @staticmethod
    def clean(): ...

nightly = partial(beat)
number = 7
"""


@pytest.fixture
def jobs(tmp_path, monkeypatch, settings):
    """A module of jobs that is allowed, ``shelf.jobs``."""
    package = tmp_path / "shelf"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "jobs.py").write_text(JOBS)
    (package / "broken.py").write_text("1 / 0")
    monkeypatch.syspath_prepend(tmp_path)
    settings.APSCHEDULER_ALLOWED_MODULES = ["shelf"]
    from shelf import jobs

    yield jobs
    for name in ("shelf", "shelf.jobs", "shelf.broken"):
        sys.modules.pop(name, None)


def test_a_name_leads_back_to_its_function(jobs):
    for func in (jobs.beat, jobs.Report, jobs.Report.send, jobs.Report.clean, jobs.Report.build):
        assert resolve(ref(func)) == func
    assert ref(jobs.Report().send) == "shelf.jobs:Report.send"
    assert ref("shelf.jobs:beat") == "shelf.jobs:beat"
    assert resolve("shelf.jobs:nightly")() == "beat"


def test_installed_apps_are_allowed():
    assert resolve("scheduler.definitions.references:resolve") is resolve


def test_what_has_no_name_is_refused():
    def nested(): ...

    for func, message in [
        (lambda: None, "is a lambda"),
        (nested, "is nested"),
        (functools.partial(print), "is a partial"),
        (object(), "is no function"),
        ("shelf.jobs.beat", "write it like shelf.jobs:beat"),
        ("beat", "write it like home.jobs:heartbeat"),
        ("shelf.jobs.my beat", "write it like home.jobs:heartbeat"),
        ("home.jobs:", "is no reference"),
    ]:
        with pytest.raises(FunctionError, match=message):
            ref(func)


def test_a_function_of_main_is_refused(monkeypatch):
    monkeypatch.setattr(ref, "__module__", "__main__")
    with pytest.raises(FunctionError, match="__main__"):
        ref(ref)


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("os:system", "APSCHEDULER_ALLOWED_MODULES"),
        ("shelfish.jobs:beat", "APSCHEDULER_ALLOWED_MODULES"),  # a prefix, but no package
        ("shelf.jobs:os.system", "is another module"),  # by way of an import
        ("shelf.jobs:getcwd", "APSCHEDULER_ALLOWED_MODULES"),
        ("shelf.jobs:number", "not callable"),
        ("shelf.jobs:beat.__globals__", "not callable"),
        ("shelf.jobs:beat.__globals__.get", "APSCHEDULER_ALLOWED_MODULES"),
        ("shelf.jobs:beat.__class__", "APSCHEDULER_ALLOWED_MODULES"),
        ("shelf.jobs:beat.__call__", "APSCHEDULER_ALLOWED_MODULES"),
        ("shelf.jobs:gone", "there is no gone"),
        ("shelf.gone:beat", "cannot import shelf.gone: ModuleNotFoundError"),
        ("shelf.broken:beat", "cannot import shelf.broken: ZeroDivisionError"),
        ("shelf.jobs", "is no reference"),
        ("shelf..jobs:beat", "is no reference"),
    ],
)
def test_what_a_row_may_not_name(jobs, reference, message):
    with pytest.raises(FunctionError, match=message):
        resolve(reference)


def test_a_forbidden_module_is_not_even_imported(monkeypatch):
    imported = []
    monkeypatch.setattr(references.importlib, "import_module", imported.append)
    with pytest.raises(FunctionError):
        resolve("antigravity:fly")
    assert imported == []


def test_a_star_allows_all(settings):
    settings.APSCHEDULER_ALLOWED_MODULES = ["*"]
    assert resolve("os:getcwd") is os.getcwd


def test_the_setting_is_read_again_when_it_changes(jobs, settings):
    assert resolve("shelf.jobs:beat") is jobs.beat
    settings.APSCHEDULER_ALLOWED_MODULES = []
    with pytest.raises(FunctionError):
        resolve("shelf.jobs:beat")


def test_it_is_a_lookup_error_and_a_value_error():
    assert issubclass(FunctionError, LookupError)
    assert issubclass(FunctionError, ValueError)
