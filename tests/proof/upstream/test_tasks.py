"""Django's own tests of task backends against ``SchedulerBackend``, with the exceptions by name.

Over Django's own Tasks API, in an environment of its own where the Django that is installed has
none, and there over the backport django-tasks too, whose own distributions bring no tests.
``test_custom_backend.py`` is left out: it tests backends that it defines itself.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import django
import pytest

from tests.interpreters import interpreter

from .run import run_upstream

PROJECT = ("django", "6.1")
PACKAGES = ("apscheduler>=3.11.2,<4", "cron-descriptor>=2.2", "django~=6.1.0", "django-environ",
            "pytest", "pytest-django", "tzdata")  # fmt: skip
DRIVERS = {"postgres": "psycopg[binary]", "mysql": "mysqlclient"}

EXCEPTIONS = {
    "test_dummy_backend.py": {
        "test_refresh_result": "changes the dummy backend's list in memory; ours reads rows",
        "test_refresh_result_async": "changes the dummy backend's list in memory; ours reads rows",
    },
    "test_immediate_backend.py": {
        "test_cannot_get_result": "expects that results cannot be read; ours can",
        "test_cannot_refresh_result": "expects that results cannot be refreshed; ours can",
        "test_cannot_pass_run_after": "expects that run_after is refused; ours waits for it",
        "test_throws_keyboard_interrupt": (
            "expects that it ends the caller; here a task's KeyboardInterrupt ends its run alone"
        ),
        "test_catches_exception": (
            "expects the traceback in the API's log line, whose arguments nobody masks: the "
            "scheduler logs it, with sensitive values masked; the result carries it whole"
        ),
    },
}
OF_THE_BACKPORT = {
    "test_tasks.py": {
        "test_pickle_task": "the backport's tasks cannot be pickled",
        "test_pickle_task_result": "the backport's tasks cannot be pickled",
        "test_unpickle_arbitrary_string": "the backport's tasks cannot be pickled",
        "test_unpickle_non_task_object": "the backport's tasks cannot be pickled",
        "test_run_after_in_decorator": "the backport refuses it in other words",
    },
    "test_dummy_backend.py": {
        "test_validate_disallowed_async_task": "the backport writes tasks with a small t",
    },
}
CASES = {"test_tasks.py": 39, "test_dummy_backend.py": 17, "test_immediate_backend.py": 20}


@pytest.fixture(scope="module")
def python_with_the_api(tmp_path_factory: pytest.TempPathFactory) -> str:
    """An interpreter whose Django has the Tasks API; continuous integration always has one."""
    if django.VERSION >= (6, 0):
        return sys.executable
    found = interpreter("3.12", "3.13", "3.14")
    if not found:
        reason = "Django 6.1 needs Python 3.12 or newer; none is here"
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(reason)
    folder: Path = tmp_path_factory.mktemp("django-6.1")
    uv, python = str(Path(sys.executable).with_name("uv")), f"{folder}/bin/python"
    scheme = os.environ.get("TEST_DATABASE_URL", "").partition("://")[0]
    drivers = [DRIVERS[scheme]] if scheme in DRIVERS else []
    subprocess.run([uv, "venv", "--quiet", "--python", str(found), str(folder)], check=True)
    install = [uv, "pip", "install", "--quiet", "--python", python]
    subprocess.run([*install, *PACKAGES, *drivers], check=True)
    return python


@pytest.mark.slow
@pytest.mark.parametrize("module", CASES)
def test_every_case_passes_over_the_api_of_django_or_is_an_exception(
    module, tmp_path, python_with_the_api
):
    assert_cases(module, tmp_path, EXCEPTIONS.get(module, {}), python_with_the_api)


@pytest.mark.skipif(django.VERSION >= (6, 0), reason="this Django needs no backport")
@pytest.mark.parametrize("module", CASES)
def test_every_case_passes_over_the_backport_or_is_an_exception(module, tmp_path):
    exceptions = {**EXCEPTIONS.get(module, {}), **OF_THE_BACKPORT.get(module, {})}
    assert_cases(module, tmp_path, exceptions, sys.executable)


def assert_cases(module: str, tmp_path: Path, exceptions: dict[str, str], python: str) -> None:
    cases = run_upstream(
        f"tasks/{module}",
        "upstream_tasks",
        tmp_path,
        project=PROJECT,
        folder="tests",
        python=python,
    )
    not_passed = {name.rpartition("::")[2] for name, how in cases.items() if how != "passed"}
    assert not_passed == exceptions.keys()
    assert len(cases) == CASES[module]
