"""``manage.py scheduler`` in a project without Django's admin: every subcommand, in a process."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest
from scheduler import scheduler
from scheduler.management.subcommands import SUBCOMMANDS
from scheduler.models import Lease, Node

from tests import bodies
from tests.processes import environment

pytestmark = pytest.mark.django_db(transaction=True)
NO_EXECUTION = "999999999"

WORDS = {
    "status": ((), 0),
    "list": ((), 0),
    "show": (("hourly",), 0),
    "add": (("tests.bodies:noop", "interval", "hours=2", "--id", "added"), 0),
    "pause": (("hourly",), 0),
    "resume": (("hourly",), 0),
    "remove": (("hourly",), 0),
    "run": (("hourly",), 0),
    "cancel": ((NO_EXECUTION,), 3),
    "history": (("hourly",), 0),
    "audit": ((), 0),
    "resign": (("--timeout", "0"), 5),
}
"""What each is called with, and its exit code."""


def manage(*words: str) -> subprocess.CompletedProcess:
    env = environment() | {"DJANGO_SETTINGS_MODULE": "tests.management.settings_without_admin"}
    command = [sys.executable, "-m", "django", *words]
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=120)


@pytest.fixture
def cluster():
    """A job, and a leader that lives on paper."""
    scheduler.add_job(bodies.noop, "interval", hours=1, id="hourly")
    now, hour = datetime.now(UTC), timedelta(hours=1)
    node = Node.objects.create(role="leader", host="h", pid=7, started_at=now, beat_at=now, ttl=60)
    Lease.objects.create(pk=1, holder=node.pk, term=3, renewed_at=now, expires_at=now + hour)


def test_each_subcommand_has_its_words_here():
    assert WORDS.keys() == {subcommand.name for subcommand in SUBCOMMANDS}


@pytest.mark.parametrize("name", WORDS)
def test_a_subcommand_works_without_django_s_admin(cluster, name):
    words, code = WORDS[name]
    done = manage("scheduler", name, *words)
    assert (done.returncode, "Traceback" in done.stderr) == (code, False), done.stderr
    assert (done.stdout or done.stderr).strip()


@pytest.mark.parametrize("name", ["runapscheduler", "import_django_apscheduler", "check"])
def test_the_other_commands_load_without_django_s_admin(name):
    done = manage(name, "--help")
    assert (done.returncode, "Traceback" in done.stderr) == (0, False), done.stderr
