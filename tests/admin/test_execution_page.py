"""The page of one execution: its traceback, its attempts, and the last success beside it."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.utils import timezone
from scheduler import scheduler
from scheduler.admin.executions import related
from scheduler.models import Execution, Term

from .test_actions import ROW, make_execution

pytestmark = pytest.mark.django_db

HEARTBEAT = "demo_app.heartbeat"
TRACEBACK = (
    "Traceback (most recent call last):\n"
    '  File "/srv/scheduler/engine/executors/runner.py", line 1, in _execute\n    call()\n'
    '  File "/srv/shop/jobs.py", line 7, in sync\n    ask()\n'
    "ValueError: no such order\n"
)


def page_of(client, execution: Execution) -> str:
    answer = client.get(f"/admin/scheduler/execution/{execution.pk}/change/")
    assert answer.status_code == 200
    return answer.content.decode()


def ran(job, status: str, seconds: float = 1.0, **columns) -> Execution:
    end = timezone.now()
    spent = {"started_at": end - timedelta(seconds=seconds), "finished_at": end}
    return make_execution(
        job, status=status, scheduled_run_time=None, kind="manual", **spent, **columns
    )


def test_the_engine_s_frames_are_folded_and_the_whole_text_stays_on_the_page(
    admin_client, declared
):
    page = page_of(admin_client, ran(declared[HEARTBEAT], "failed", traceback=TRACEBACK))
    folded = re.search(r"<details class=\"sch-frames\"><summary>(.*?)</details>", page, re.S)[1]
    assert folded.startswith("1 frame of the scheduler</summary>")
    assert "runner.py" in folded
    assert "jobs.py" not in folded
    texts = re.findall(r"<pre>(.*?)</pre>", page, re.S)
    assert "".join(texts).replace("&quot;", '"') == TRACEBACK


def test_attempts_of_a_manual_run_lead_to_each_other_and_to_no_other_run(admin_client, declared):
    first, other = (ran(declared[HEARTBEAT], "failed") for _ in range(2))
    second = scheduler.retry(first.pk)
    Execution.objects.filter(pk=second.pk).update(status="failed", finished_at=timezone.now())
    third = scheduler.retry(second.pk)
    ids = [first.pk, second.pk, third.pk]
    for attempt in (first, second, third):
        found = related.attempts(Execution.objects.get(pk=attempt.pk))
        assert [each.pk for each in found] == ids
    assert related.attempts(other) == []
    assert f'change/">{third.attempt}</a>' in page_of(admin_client, first)


def test_a_failure_stands_beside_the_last_success_before_it(admin_client, declared):
    job = declared[ROW]
    Term.objects.create(term=1, node_id=job.uid, cause="first", acquired_at=timezone.now())
    Term.objects.create(
        term=2, node_id=job.uid, cause="first", acquired_at=timezone.now(), code="0ld"
    )
    Term.objects.create(
        term=3, node_id=job.uid, cause="first", acquired_at=timezone.now(), code="n3w"
    )
    ran(job, "succeeded", term=2)
    success = ran(job, "succeeded", 2, kwargs='{"limit": 5, "warehouse": "north"}', term=2)
    failure = ran(job, "failed", 9, kwargs='{"limit": 7, "warehouse": "north"}', term=3)
    later = ran(job, "succeeded", 5, term=3)
    found = related.comparison(failure)
    assert found.success == success
    assert found.arguments == [("limit", "7", "5")]
    assert (found.code, found.code_of_success) == ("n3w", "0ld")
    page = page_of(admin_client, failure)
    assert "Compared with the last success" in page
    assert "Compared with" not in page_of(admin_client, later)


def test_a_run_whose_job_never_succeeded_says_how_far_that_was_looked_for(
    monkeypatch, admin_client, declared
):
    monkeypatch.setattr(related, "MAX_LOOKED_AT", 2)
    job = declared[ROW]
    ran(job, "succeeded")
    for _ in range(2):
        failure = ran(job, "failed")
    assert related.comparison(failure).success
    failure = ran(job, "failed")
    assert "None of the last 2 runs before it succeeded." in page_of(admin_client, failure)


def test_no_argument_that_either_run_keeps_secret_is_compared_in_clear(admin_client, declared):
    job = declared[ROW]
    ran(job, "succeeded", kwargs='{"warehouse": "old-secret"}', sensitive="[]")
    failure = ran(job, "failed", kwargs='{"warehouse": "new-secret"}', sensitive='["warehouse"]')
    page = page_of(admin_client, failure)
    assert "warehouse" in page
    assert "-secret" not in page


def test_a_run_that_never_began_has_nothing_to_compare(declared):
    assert related.comparison(make_execution(declared[ROW], status="skipped")) is None


def test_texts_are_copied_by_a_button_that_names_them(admin_client, declared):
    texts = {"traceback": TRACEBACK, "log": "12 items", "return_value": "7"}
    page = page_of(admin_client, ran(declared[HEARTBEAT], "failed", **texts))
    named = re.findall(r'data-copies="([^"]+)"', page)
    assert named == ["sch-traceback", "sch-result", "sch-log"]
    assert all(f'id="{each}"' in page for each in named)
    assert "scheduler/copy.js" in page
