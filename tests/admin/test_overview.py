"""The overview: what is due, runs and is not well, and where each number leads."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from scheduler import codeversion
from scheduler.models import Change, Execution, Job, Lease, Node
from scheduler.monitoring import health

from .test_actions import LIST, ROW, make_execution

pytestmark = pytest.mark.django_db

OVERVIEW = "/admin/scheduler/"


def test_what_is_due_leads_to_its_lists(admin_client, declared):
    late = timezone.now() - timedelta(minutes=2)
    Job.objects.exclude(pk=ROW).update(next_run_time=timezone.now() + timedelta(hours=1))
    Job.objects.filter(pk=ROW).update(next_run_time=late)
    make_execution(declared[ROW], due_at=late)
    for address in (OVERVIEW, f"{OVERVIEW}execution/trends/"):
        page = admin_client.get(address).content.decode()
        assert f'<a href="{LIST}?due=1">1 job</a>' in page
        assert f'<a href="{OVERVIEW}execution/?status=queued">1 queued</a>' in page
    listed = admin_client.get(f"{LIST}?due=1").context["cl"].result_list
    assert [job.pk for job in listed] == [ROW]


def test_a_running_run_stands_beside_what_its_job_usually_takes(admin_client, declared):
    began = timezone.now() - timedelta(hours=1)
    for seconds in (1, 7.5, 600):
        ended = began + timedelta(seconds=seconds)
        make_execution(
            declared[ROW], status="succeeded", started_at=began, finished_at=ended, due_at=began
        )
    make_execution(declared[ROW], status="running", started_at=timezone.now())
    assert "usually 7.5 s" in admin_client.get(OVERVIEW).content.decode()


def test_what_is_not_well_is_said_on_the_page_as_the_health_page_says_it(admin_client, declared):
    now = timezone.now()
    node = Node.objects.create(
        role="leader", host="a", pid=1, started_at=now, beat_at=now, ttl=60, code="of last week"
    )
    lease = {"holder": node.pk, "term": 1, "expires_at": now + timedelta(minutes=1)}
    Lease.objects.update_or_create(id=1, defaults=lease)
    Job.objects.update(next_run_time=now + timedelta(hours=1))
    page = admin_client.get(OVERVIEW).content.decode()
    said = [text for text in health.read().warnings if "restart the scheduler" in text]
    assert said
    assert said[0] in page.replace("<wbr>", "")
    assert "sch-health-warn" in page
    Node.objects.update(code=codeversion.digest())
    page = admin_client.get(OVERVIEW).content.decode()
    assert "restart the scheduler" not in page
    assert "sch-health-ok" in page


@pytest.mark.parametrize(("late", "marked"), [(59, False), (61, True)])
def test_a_start_lag_beyond_what_health_allows_is_marked(admin_client, declared, late, marked):
    due = timezone.now() - timedelta(hours=1)
    began = due + timedelta(seconds=late)
    make_execution(
        declared[ROW], status="succeeded", started_at=began, finished_at=began, due_at=due
    )
    assert ('class="sch-slow"' in admin_client.get(OVERVIEW).content.decode()) is marked


def test_a_button_s_address_without_a_click_leads_back_and_says_so(admin_client, declared):
    run = make_execution(declared[ROW], status="failed", finished_at=timezone.now())
    row = f"{LIST}{ROW.replace('_', '_5F')}/"
    pages = {f"{row}{name}/": f"{row}change/" for name in ("pause", "retire", "resume", "reset")}
    page = f"{OVERVIEW}execution/{run.pk}/"
    pages |= {f"{page}{name}/": f"{page}change/" for name in ("retry", "cancel")}
    for address, back in pages.items():
        answer = admin_client.get(address, follow=True)
        assert answer.redirect_chain == [(back, 302)]
        assert "Nothing was done yet: press the button again." in answer.content.decode()
        assert admin_client.put(address).status_code == 405
    assert not Change.objects.exclude(action="added").exists()
    assert Execution.objects.count() == 1
