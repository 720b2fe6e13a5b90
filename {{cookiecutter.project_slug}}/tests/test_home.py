"""The landing page, from the rows that a scheduler writes."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test import Client

from scheduler.models import Execution, Job, Lease, Node

pytestmark = pytest.mark.django_db


def leader(age: float = 0.0) -> Node:
    """A leader in term 7 that was last heard of ``age`` seconds ago."""
    seen = datetime.now(UTC) - timedelta(seconds=age)
    node = Node.objects.create(
        role="leader", host="alpha", pid=4242, started_at=seen, beat_at=seen, ttl=6
    )
    Lease.objects.update_or_create(
        id=1,
        defaults={
            "holder": node.id,
            "term": 7,
            "acquired_at": seen,
            "expires_at": seen + timedelta(seconds=6),
        },
    )
    return node


def standby() -> None:
    now = datetime.now(UTC)
    Node.objects.create(role="standby", host="beta", pid=1, started_at=now, beat_at=now, ttl=6)


def page(client: Client) -> str:
    response = client.get("/")
    assert response.status_code == 200
    return response.content.decode()


def test_it_names_term_and_standbys_of_a_living_leader(client: Client) -> None:
    leader()
    standby()
    text = page(client)
    assert "The scheduler is running" in text
    assert "term 7" in text
    assert "1 standby" in text


def test_a_leader_whose_lease_ran_out_does_not_run(client: Client) -> None:
    leader(age=60)
    assert "No scheduler is running" in page(client)


def test_only_staff_reads_host_and_process(client: Client, admin_client: Client) -> None:
    leader()
    assert "alpha" not in page(client)
    assert "alpha" in page(admin_client)


def test_the_number_of_a_process_is_in_no_language(settings, admin_client: Client) -> None:
    settings.LANGUAGE_CODE, settings.USE_THOUSAND_SEPARATOR = "de", True
    leader()
    assert "<code>4242</code>" in page(admin_client)


def test_it_lists_last_and_next_runs_to_staff(client: Client, admin_client: Client) -> None:
    now = datetime.now(UTC)
    Job.objects.create(
        id="mail", name="Send mail", func="tests.jobs:greet", trigger="{}", next_run_time=now
    )
    Job.objects.create(
        id="rest", name="At rest", func="tests.jobs:greet", trigger="{}", state="paused"
    )
    for status in ("succeeded", "failed"):
        Execution.objects.create(
            job_id="old",
            job_uid=uuid.uuid4(),
            job_name="Tidy <up>",
            status=status,
            due_at=now,
            queued_at=now,
            started_at=now,
            finished_at=now,
        )
    text = page(admin_client)
    assert "Send mail" in text
    assert "At rest" not in text
    assert text.count("Tidy &lt;up&gt;") == 2
    # An id may hold what is nobody's business, such as an address.
    text = page(client)
    assert "Send mail" not in text
    assert "Tidy" not in text


@pytest.mark.parametrize("zone", ["Asia/Tokyo", "America/New_York"])
@pytest.mark.parametrize("at", ["9999-12-31T23:59:59+00:00", "0001-01-01T00:00:00+00:00"])
def test_a_moment_that_a_zone_cannot_show_is_shown(
    settings, admin_client: Client, zone: str, at: str
) -> None:
    settings.TIME_ZONE = zone
    Job.objects.create(
        id="far", func="tests.jobs:greet", trigger="{}", next_run_time=datetime.fromisoformat(at)
    )
    assert f" {at[:4]}, " in page(admin_client)


def test_it_stays_small_in_statements(
    client: Client, admin_client: Client, django_assert_max_num_queries
) -> None:
    leader()
    with django_assert_max_num_queries(3):
        page(client)
    with django_assert_max_num_queries(11):
        page(admin_client)


def test_development_offers_the_next_steps_and_production_nothing_but_the_state(
    settings, client: Client, admin_client: Client
) -> None:
    for visitor in (client, admin_client):
        text = page(visitor)
        assert "Next steps" not in text
        assert "home/" not in text.replace("/static/home/", "")
    assert "manage.py" not in page(client)
    settings.DEBUG = True
    text = page(client)
    for step in ("Write a job.", "Open the console.", "Deploy."):
        assert step in text
    assert 'href="/admin/scheduler/"' in text


def test_without_tables_it_says_what_to_do(client: Client, monkeypatch) -> None:
    monkeypatch.setattr(Lease._meta, "db_table", "not_there")
    response = client.get("/")
    assert response.status_code == 503
    assert "manage.py migrate" in response.content.decode()
    connection.needs_rollback = False


def test_its_policy_allows_no_foreign_and_no_inline_code(client: Client) -> None:
    response = client.get("/")
    policy = response.headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy
    text = response.content.decode()
    assert "<style" not in text
    assert "style=" not in text
    assert text.count("<script") == text.count("<script src=")
