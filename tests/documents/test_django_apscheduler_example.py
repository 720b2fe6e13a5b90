"""django-apscheduler's README example, as it stands there, after changing its import lines."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from scheduler.models import Execution, Job
from scheduler.models.execution import Status

from tests.processes import environment, eventually
from tests.proof.upstream.sdist import unpacked

pytestmark = pytest.mark.django_db(transaction=True)

SETTINGS = """
from tests.settings import *

INSTALLED_APPS = ["mysite", *INSTALLED_APPS]
LOGGING = {
    "version": 1,
    "handlers": {"console": {"class": "logging.StreamHandler"}},
    "root": {"handlers": ["console"], "level": "INFO"},
}
"""


@pytest.fixture
def example(tmp_path) -> Path:
    """An app whose ``runapscheduler`` command is the README's."""
    readme = (unpacked("django_apscheduler", "0.7.0") / "README.md").read_text()
    blocks = re.findall(r"```python\n(# runapscheduler\.py\n.*?)```", readme, re.DOTALL)
    code, changed = re.subn(r"(?m)^from django_apscheduler\b", "from scheduler", blocks[0])
    assert changed == 3
    assert "django_apscheduler" not in code
    commands = tmp_path / "mysite" / "management" / "commands"
    commands.mkdir(parents=True)
    for folder in (commands, commands.parent, commands.parent.parent):
        (folder / "__init__.py").touch()
    (commands / "runapscheduler.py").write_text(code)
    (tmp_path / "mysite_settings.py").write_text(SETTINGS)
    return tmp_path


def start(example: Path) -> subprocess.Popen[str]:
    inherited = environment()
    return subprocess.Popen(
        [sys.executable, "-m", "django", "runapscheduler"],
        env=inherited
        | {
            "DJANGO_SETTINGS_MODULE": "mysite_settings",
            "PYTHONPATH": os.pathsep.join([str(example), inherited["PYTHONPATH"]]),
        },
        stderr=subprocess.PIPE,
        text=True,
    )


def test_it_runs_in_two_processes_at_once_and_each_run_is_there_once(example):
    processes = [start(example) for _ in range(2)]
    try:
        # Its job has a second's grace: on a busy machine some runs are missed.
        succeeded = Execution.objects.filter(job_id="my_job", status=Status.SUCCEEDED)
        eventually(lambda: succeeded.count() >= 2, 240)
    finally:
        for process in processes:
            process.send_signal(signal.SIGINT)
        said = [process.communicate(timeout=120)[1] for process in processes]

    assert [process.returncode for process in processes] == [0, 0]
    assert all("Scheduler shut down successfully!" in text for text in said), said
    slots = list(Execution.objects.values_list("scheduled_run_time", flat=True))
    assert len(slots) == len(set(slots))
    assert all(slot.second % 10 == 0 for slot in slots)
    assert {job.id for job in Job.objects.all()} == {"my_job", "delete_old_job_executions"}
    assert Job.objects.get(id="delete_old_job_executions").next_run_time.weekday() == 0


def test_its_clean_up_job_deletes_old_executions(example, monkeypatch):
    monkeypatch.syspath_prepend(str(example))
    from mysite.management.commands.runapscheduler import delete_old_job_executions

    for days in (6, 8):
        at = datetime.now(UTC) - timedelta(days=days)
        times = {"due_at": at, "queued_at": at, "finished_at": at, "scheduled_run_time": at}
        Execution.objects.create(job_id="a", job_uid=uuid4(), status=Status.FAILED, **times)

    delete_old_job_executions()

    assert Execution.objects.get().finished_at > datetime.now(UTC) - timedelta(days=7)
