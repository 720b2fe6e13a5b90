"""Commands on a stdout that cannot encode every letter, as under an older locale."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from scheduler import scheduler
from scheduler.models import Job

from tests import bodies
from tests.processes import environment
from tests.settings import ROOT

pytestmark = pytest.mark.django_db(transaction=True)

REFUSED_AND_LOGGED = """
import logging, sys
import django
from django.core.management import CommandError, call_command
django.setup()
try:
    call_command("runapscheduler")
except CommandError:
    logging.basicConfig(stream=sys.stdout, format="%(message)s")
    logging.warning("Job Zo\\xeb")
"""


def said(*words: str, **variables: str) -> str:
    done = subprocess.run(
        [sys.executable, *words], env=environment() | variables, cwd=ROOT, capture_output=True
    )
    assert (done.returncode, done.stderr) == (0, b"")
    return done.stdout.decode("utf-8")


@pytest.fixture
def foreign_name():
    scheduler.add_job(bodies.noop, "interval", hours=1, id="a", name="Zoë 🐝")


@pytest.mark.parametrize("locale", [{"LANG": "C"}, {"LC_ALL": "C"}], ids=str)
def test_letters_are_whole_in_the_c_locale(foreign_name, locale):
    assert "Zoë 🐝" in said("-m", "django", "scheduler", "show", "a", **locale)


def test_letters_that_stdout_lacks_are_escaped(foreign_name):
    ascii = {"PYTHONIOENCODING": "ascii"}
    assert r"Zo\xeb \U0001f41d" in said("-m", "django", "scheduler", "show", "a", **ascii)
    data = json.loads(said("-m", "django", "scheduler", "show", "a", "--json", **ascii))
    assert data["name"] == "Zoë 🐝"


def test_arguments_are_utf8_in_a_locale_that_lacks_their_letters():
    posix = {"PYTHONUTF8": "0", "LC_ALL": "POSIX", "PYTHONCOERCECLOCALE": "0"}
    schedule = ("interval", "hours=1", "--name", "Zoë")
    added = said("-m", "django", "scheduler", "add", f"{bodies.__name__}:noop", *schedule,
                 "--id", "käse 🐝", **posix)  # fmt: skip
    assert r"k\xe4se \U0001f41d" in added
    assert Job.objects.values_list("id", "name").get() == ("käse 🐝", "Zoë")
    said("-m", "django", "scheduler", "pause", "käse 🐝", **posix)
    assert Job.objects.get().state == "paused"


def test_an_argument_that_is_no_utf8_is_refused_by_name():
    latin1 = "k\udce4se"
    done = subprocess.run(
        [sys.executable, "-m", "django", "scheduler", "add", f"{bodies.__name__}:noop",
         "interval", "hours=1", "--id", latin1],
        env=environment(), cwd=ROOT, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 1
    assert "The id of a job may not contain '\\udce4'" in done.stderr
    assert not Job.objects.exists()


def test_the_schedulers_log_escapes_letters_that_stdout_lacks(tmp_path):
    """One whose database has no tables yet: it ends, and logs, without waiting."""
    environment = {"PYTHONIOENCODING": "ascii", "TEST_DATABASE_URL": f"sqlite:///{tmp_path}/db"}
    assert said("-c", REFUSED_AND_LOGGED, **environment) == "Job Zo\\xeb\n"
