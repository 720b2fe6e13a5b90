"""An argument that a job calls sensitive is on no page, in no log entry and in no change shown."""

from __future__ import annotations

import pytest
from django.contrib.admin.models import LogEntry
from django.urls import reverse
from scheduler.models import Execution, Job

from .test_actions import make_execution

pytestmark = pytest.mark.django_db

SECRET = "sk_live_51HxR2eKb"
QUOTED = 'se"cret\\key'
ROW = "demo_app.charge_cards"


def pages(job: Job, execution: Execution) -> list[str]:
    urls = [reverse("admin:app_list", args=["scheduler"]), reverse("admin:index")]
    for kind, pk in (("job", job.pk), ("execution", execution.pk)):
        urls.append(reverse(f"admin:scheduler_{kind}_changelist"))
        urls += [
            reverse(f"admin:scheduler_{kind}_{page}", args=[pk])
            for page in ("change", "history", "delete")
        ]
    return [*urls, reverse("admin:scheduler_job_run", args=[job.pk])]


def test_no_page_shows_it(admin_client, declared):
    job = declared[ROW]
    assert SECRET in job.kwargs
    Job.objects.filter(pk=ROW).update(last_error=f"bad key {SECRET}")
    execution = make_execution(
        job,
        status="failed",
        exception=f"ValueError: {SECRET}",
        traceback=f"Traceback ... key={SECRET!r}",
        log=f"charging with {SECRET}",
        return_value=f'{{"used": "{SECRET}"}}',
    )
    for url in pages(job, execution):
        page = admin_client.get(url)
        assert page.status_code == 200, url
        assert SECRET not in page.content.decode(), url


def test_neither_does_one_that_must_be_escaped(admin_client, declared):
    import json

    kwargs = json.dumps({"key": QUOTED})
    Job.objects.filter(pk=ROW).update(kwargs=kwargs)
    job = Job.objects.get(pk=ROW)
    execution = make_execution(
        job, status="failed", log=f"with {QUOTED}", return_value=kwargs, traceback=repr(QUOTED)
    )
    page = admin_client.get(reverse("admin:scheduler_execution_change", args=[execution.pk]))
    for name in ("log", "result", "traceback"):
        assert "cret" not in page.context[name], name


def test_by_position_too(admin_client, declared):
    Job.objects.filter(pk=ROW).update(kwargs="{}", args=f'["{SECRET}", 50]')
    job = Job.objects.get(pk=ROW)
    execution = make_execution(job, status="succeeded", log=SECRET)
    for url in pages(job, execution):
        assert SECRET not in admin_client.get(url).content.decode(), url


def test_the_function_being_gone_does_not_show_it(admin_client, declared):
    Job.objects.filter(pk=ROW).update(
        kwargs="{}", args=f'["{SECRET}"]', func="tests.demo_app.jobs:gone"
    )
    job = Job.objects.get(pk=ROW)
    execution = make_execution(job, status="succeeded", log=SECRET)
    for url in pages(job, execution):
        assert SECRET not in admin_client.get(url).content.decode(), url


def test_changing_another_field_keeps_it_and_changing_it_is_told_without_it(admin_client, declared):
    from .test_form import fields_of

    url = reverse("admin:scheduler_job_change", args=[ROW])
    sent = fields_of(admin_client.get(url))
    assert SECRET not in str(sent)
    admin_client.post(url, {**sent, "arg_batch": "7"})
    assert SECRET in Job.objects.get(pk=ROW).kwargs
    sent = fields_of(admin_client.get(url))
    admin_client.post(url, {**sent, "arg_key": "another_secret"})
    assert "another_secret" in Job.objects.get(pk=ROW).kwargs
    told = " ".join(LogEntry.objects.values_list("change_message", flat=True))
    assert "sensitive arguments: changed" in told
    assert SECRET not in told
    assert "another_secret" not in told
    page = admin_client.get(reverse("admin:scheduler_job_history", args=[ROW])).content.decode()
    assert SECRET not in page
    assert "another_secret" not in page


def test_the_mark_cannot_be_taken_away_in_the_admin(admin_client, declared):
    from .test_form import fields_of

    url = reverse("admin:scheduler_job_change", args=[ROW])
    sent = fields_of(admin_client.get(url))
    admin_client.post(url, {**sent, "sensitive": ["batch"]})
    assert Job.objects.get(pk=ROW).sensitive == '["batch", "key"]'
