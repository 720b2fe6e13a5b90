"""No page reads or sorts the whole history: the database's own plans are looked at."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from scheduler.admin.executions import query

from tests.seeding import seed

from .addresses import ADDRESSES, EXECUTIONS

pytestmark = pytest.mark.django_db

PAGED = [
    f"{EXECUTIONS}?status=failed",
    f"{EXECUTIONS}?when=week",
    f"{EXECUTIONS}",
    f"{EXECUTIONS}?job=shop.task_0001",
]


@pytest.fixture
def seeded(monkeypatch):
    if connection.vendor != "sqlite":
        pytest.skip("reads the plans of SQLite; those of other databases depend on statistics")
    monkeypatch.setattr(query, "MAX_SEARCHED", 500)
    seed(jobs=40, executions=4000)


def plans(client, url: str) -> list[tuple[str, str]]:
    """Each statement about executions, with each line of its plan."""
    with CaptureQueriesContext(connection) as captured:
        assert client.get(url).status_code == 200
    lines = []
    with connection.cursor() as cursor:
        for query in captured:
            sql = query["sql"]
            if "scheduler_execution" in sql and sql.startswith("SELECT"):
                cursor.execute("EXPLAIN QUERY PLAN " + sql.replace("%", "%%"), ())
                lines += [(sql, row[-1]) for row in cursor.fetchall()]
    return lines


def check(lines: list[tuple[str, str]]) -> None:
    for sql, line in lines:
        if "SCAN scheduler_execution" in line:
            # Newest first, without a condition: it stops at its limit.
            assert " WHERE " not in sql, f"{line}: {sql[:500]}"
            assert " LIMIT " in sql, f"{line}: {sql[:500]}"
        if "TEMP B-TREE FOR ORDER BY" in line:
            # The rows of a page are few, and so are those of a window of the newest.
            window = '"scheduler_execution"."id" >= ' in sql
            assert window or '"id" IN (' in sql, f"{line}: {sql[:500]}"


@pytest.mark.parametrize("url", ADDRESSES)
def test_no_page_scans_or_sorts_the_history(admin_client, seeded, url):
    lines = plans(admin_client, url)
    assert lines
    check(lines)


@pytest.mark.parametrize("url", PAGED)
def test_no_further_page_of_the_executions_reads_the_whole_table(admin_client, seeded, url):
    change_list = admin_client.get(url).context["cl"]
    assert change_list.older_url
    older = EXECUTIONS + change_list.older_url
    check(plans(admin_client, older))
    check(plans(admin_client, EXECUTIONS + admin_client.get(older).context["cl"].newer_url))


def test_removing_a_job_deletes_no_history(admin_client, seeded):
    with CaptureQueriesContext(connection) as captured:
        admin_client.post("/admin/scheduler/job/shop.task_0001/delete/", {"post": "yes"})
    statements = [query["sql"] for query in captured]
    assert any('DELETE FROM "scheduler_job"' in sql for sql in statements)
    assert not any('DELETE FROM "scheduler_execution"' in sql for sql in statements)
