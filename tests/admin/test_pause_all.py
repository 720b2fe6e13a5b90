"""The button that pauses everything, and what all pages say then."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.utils import timezone
from scheduler import scheduler
from scheduler.models import Lease, Node

pytestmark = pytest.mark.django_db
OVERVIEW = "/admin/scheduler/"
PAUSE, RESUME = (f"{OVERVIEW}job/{name}-all/" for name in ("pause", "resume"))
PAGES = (
    OVERVIEW,
    f"{OVERVIEW}job/",
    f"{OVERVIEW}job/add/",
    f"{OVERVIEW}execution/",
    f"{OVERVIEW}execution/tasks/",
    f"{OVERVIEW}execution/trends/",
)


def test_it_asks_then_pauses_then_resumes(admin_client):
    assert f'href="{PAUSE}"' in admin_client.get(OVERVIEW).content.decode()
    assert "Yes, pause all" in admin_client.get(PAUSE).content.decode()
    assert not scheduler.paused
    answer = admin_client.post(PAUSE, follow=True)
    assert answer.redirect_chain == [(OVERVIEW, 302)]
    assert scheduler.paused
    assert Lease.objects.get().paused_by == "admin"
    assert "Yes, resume all" in admin_client.get(RESUME).content.decode()
    admin_client.post(RESUME)
    assert not scheduler.paused
    assert [entry.change_message for entry in LogEntry.objects.order_by("pk")] == [
        "Paused all jobs",
        "Resumed all jobs",
    ]


@pytest.mark.parametrize("page", PAGES)
def test_every_page_says_that_all_is_paused_by_whom_and_since_when(admin_client, page):
    assert "All jobs are paused" not in admin_client.get(page).content.decode()
    scheduler.pause("carol")
    text = admin_client.get(page).content.decode()
    assert text.count("All jobs are paused") == 1
    assert re.search(r"by carol\s+since <time", text)
    assert f'href="{RESUME}"' in text


def test_the_index_of_the_admin_says_that_all_is_paused(admin_client):
    scheduler.pause("carol")
    assert (
        "<strong>all jobs are paused</strong> by carol"
        in admin_client.get("/admin/").content.decode()
    )


def test_somebody_who_was_faster_is_told_and_not_overwritten(admin_client):
    scheduler.pause("carol")
    answer = admin_client.post(PAUSE, follow=True)
    assert "paused already" in answer.content.decode()
    assert Lease.objects.get().paused_by == "carol"
    assert not LogEntry.objects.exists()


def test_who_may_not_pause_sees_no_button_and_is_refused(client, django_user_model):
    user = django_user_model.objects.create_user("viewer", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=("view_job", "run_job")))
    client.force_login(user)
    assert PAUSE not in client.get(OVERVIEW).content.decode()
    for method in ("get", "post"):
        assert getattr(client, method)(PAUSE).status_code == 403
    scheduler.pause("carol")
    text = client.get(OVERVIEW).content.decode()
    assert RESUME not in text
    assert "scheduler resume --all" in text


def test_the_overview_says_how_busy_processes_are_and_folds_those_that_are_gone(admin_client):
    now = timezone.now()
    node = {"role": "standby", "started_at": now, "ttl": 60.0, "workers": 10}
    Node.objects.create(host="alpha", pid=1, beat_at=now, busy_workers=3, **node)
    Node.objects.create(host="beta", pid=2, beat_at=now, busy_workers=4, **node)
    Node.objects.create(
        host="gone", pid=3, beat_at=now - timedelta(minutes=9), busy_workers=9, **node
    )
    text = admin_client.get(OVERVIEW).content.decode()
    assert "<dt>Busy workers</dt><dd>7 of 20</dd>" in text
    shown, folded = text.split("1 without a heartbeat")
    assert "alpha:1" in shown
    assert "gone:3" not in shown
    assert "gone:3" in folded
