"""Somebody deletes the cluster's own rows, or puts older ones in their place, under schedulers."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from django.db import connection
from scheduler.models import Execution, Lease, Node, Term
from scheduler.models.execution import Status
from scheduler.monitoring.alerts import on_leader

from . import bodies
from .jobs import add, runs
from .test_lease import expire


def test_with_its_lease_row_deleted_the_cluster_leads_again_and_runs_each_slot_once(a, b):
    a.lead()
    b.turn()
    add(bodies.wait, id="before")
    a.turn_until(lambda: bodies.calls)
    Lease.objects.all().delete()
    add(id="after")
    a.turn()
    assert not a.leads
    b.lead()
    b.turn_until(lambda: runs(job_id="after", status=Status.SUCCEEDED))
    bodies.gate.set()
    a.turn_until(lambda: runs(job_id="before", status=Status.SUCCEEDED))
    assert len(bodies.calls) == len(runs()) == 2
    assert list(Term.objects.order_by("term").values_list("term", flat=True)) == [1, 2]


def test_a_new_process_leads_where_neither_the_lease_row_nor_its_holder_is_left(a, b):
    a.lead()
    a.vanish()
    Lease.objects.all().delete()
    Node.objects.all().delete()
    b.lead()
    assert Lease.objects.get().term == Term.objects.latest("term").term == 2


@pytest.mark.parametrize("restored", [0, 1])
def test_a_lease_row_of_an_earlier_term_is_followed_by_a_new_term(a, b, restored):
    a.lead()
    expire()
    b.lead()
    Lease.objects.update(term=restored, holder=None, beat=0, expires_at=None)
    for _ in range(2):
        b.turn()
    a.turn()
    assert [a.leads, b.leads].count(True) == 1
    assert Lease.objects.get().term == Term.objects.latest("term").term == 3


def test_terms_go_on_rising_where_the_recorded_terms_are_gone_as_well(a, b):
    a.lead()
    expire()
    b.lead()
    Lease.objects.all().delete()
    Term.objects.all().delete()
    b.turn()
    b.lead()
    assert b.lease.term == 3


@pytest.mark.parametrize("edited", [0, 50])
def test_a_term_that_somebody_edits_is_followed_by_a_new_one(a, edited, caplog):
    """The term of a run never falls, so that a resource may refuse older ones."""
    a.lead()
    before = a.lease.term
    Lease.objects.update(term=edited)
    a.turn_until(lambda: a.leads and a.lease.term not in (before, edited))
    assert a.lease.term == Term.objects.latest("term").term == max(before, edited) + 1
    assert "Error calling" not in caplog.text


def test_terms_that_somebody_deletes_disturb_nobody_who_leads(a, caplog):
    a.lead()
    Term.objects.all().delete()
    add()
    a.turn_until(lambda: runs(status=Status.SUCCEEDED))
    assert a.leads
    on_leader(a.lease.term)


def test_a_run_that_a_restored_ledger_shows_as_running_is_lost_and_not_run_again(a):
    """A backup of the moment in which it ran, restored when it had ended."""
    a.lead()
    add(bodies.wait)
    a.turn_until(lambda: bodies.calls)
    (row,), (node,) = list(Execution.objects.all()), list(Node.objects.all())
    bodies.gate.set()
    a.turn_until(lambda: runs(status=Status.SUCCEEDED))
    a.beat()
    _put_back(row)
    _put_back(node)
    a.beat()
    a.beat()
    (now,) = runs()
    assert (now.status, len(bodies.calls)) == (Status.LOST, 1)
    assert "a backup was restored" in now.reason


def test_a_heartbeat_whose_reply_was_lost_is_no_restore(a):
    a.lead()
    a.beat()
    Node.objects.update(beat=Node.objects.get().beat + 1)
    a.beat()
    assert a.leads


def test_in_a_file_that_was_replaced_nothing_is_claimed_any_more(a, b, vendor, tmp_path, caplog):
    if vendor != "sqlite":
        pytest.skip("a server's files are its own")
    a.lead()
    add()
    _replace_file(tmp_path)
    a.turn()
    assert not a.leads
    assert "was replaced under the running scheduler" in caplog.text
    expire()
    b.turn()
    b.lead()
    b.turn_until(lambda: runs(status=Status.SUCCEEDED))
    for _ in range(3):
        a.turn()
    assert not a.leads
    assert len(bodies.calls) == len(runs()) == 1


def test_the_leader_goes_on_in_the_file_that_was_put_in_place(a, vendor, tmp_path):
    if vendor != "sqlite":
        pytest.skip("a server's files are its own")
    a.lead()
    _replace_file(tmp_path)
    add()
    a.turn()
    a.turn_until(lambda: runs(status=Status.SUCCEEDED))
    assert len(bodies.calls) == 1


def test_a_file_that_was_removed_stops_the_leader_and_is_not_made_anew(a, vendor, tmp_path, caplog):
    if vendor != "sqlite":
        pytest.skip("a server's files are its own")
    a.lead()
    add()
    path = Path(connection.settings_dict["NAME"])
    connection.close()
    away = path.with_name(path.name + ".away")
    os.rename(path, away)
    try:
        for _ in range(3):
            a.turn()
        assert not a.leads
        assert not path.exists()
    finally:
        os.replace(away, path)
    assert caplog.text.count("was removed under the running scheduler") == 2  # and steps down
    expire()
    a.turn_until(lambda: runs(status=Status.SUCCEEDED))
    assert len(bodies.calls) == 1


def test_a_leader_whose_log_was_removed_does_not_go_on_unseen(a, vendor, caplog):
    if vendor != "sqlite":
        pytest.skip("a server's files are its own")
    a.lead()
    a.beat()
    connection.close()
    for suffix in ("-wal", "-shm"):
        Path(connection.settings_dict["NAME"] + suffix).unlink()
    a.turn()
    assert not a.leads
    assert "-wal was removed under the running scheduler" in caplog.text
    add()
    a.turn_until(lambda: runs(status=Status.SUCCEEDED))
    assert len(bodies.calls) == 1


def _put_back(row: Execution | Node) -> None:
    """As the backup had it."""
    type(row)._base_manager.filter(pk=row.pk).delete()
    type(row)._base_manager.bulk_create([row])


def _replace_file(folder: Path) -> None:
    """A copy of this moment takes the place of the file; what was open goes on in the old one."""
    path, copy = Path(connection.settings_dict["NAME"]), folder / "backup.sqlite3"
    with connection.cursor() as cursor:
        cursor.execute("VACUUM INTO %s", [str(copy)])
    connection.close()
    beside = path.with_name(path.name + ".restored")  # on the same file system
    shutil.copy(copy, beside)
    os.replace(beside, path)
    for suffix in ("-wal", "-shm"):  # they belong to the old file
        path.with_name(path.name + suffix).unlink(missing_ok=True)
