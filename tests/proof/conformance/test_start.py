"""Starting what is queued."""

from __future__ import annotations

import os
import subprocess
import sys

from django.db import connection
from scheduler.models.execution import Status

from tests.settings import ROOT, TEMPLATE

from . import bodies
from .jobs import add, runs


def test_a_run_with_room_for_several_instances_is_started_once(a):
    add(max_instances=3)
    a.turn_until(lambda: runs(status=Status.SUCCEEDED))
    assert len(bodies.calls) == 1


def test_a_database_that_returns_no_rows_starts_each_run_once_as_well(a, monkeypatch):
    """MySQL: what was claimed is queued, and started by a statement of its own."""
    monkeypatch.setattr(type(connection.features), "can_return_rows_from_bulk_insert", False)
    for id in ("a", "b", "c"):
        add(id=id, max_instances=3)
    a.turn_until(lambda: len(runs(status=Status.SUCCEEDED)) == 3)
    assert len(bodies.calls) == len(runs()) == 3


def test_a_worker_process_begins_before_django_is_set_up():
    """A worker unpickles its first task in an interpreter that knows no app yet."""
    path = os.pathsep.join([str(ROOT), str(TEMPLATE)])
    environment = {**os.environ, "PYTHONPATH": path, "DJANGO_SETTINGS_MODULE": "tests.settings"}
    code = "import scheduler.engine.executors.worker"
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True)
    assert done.returncode == 0, done.stderr.decode()
