"""An argument that a job calls sensitive is on no page, in no log entry and in no change shown."""

from __future__ import annotations

import json

import pytest
from django.contrib.admin.models import LogEntry
from django.urls import reverse
from scheduler import scheduler
from scheduler.credentials import secrets_within
from scheduler.masking import is_secret_name
from scheduler.models import Change, Execution, Job

from . import bodies
from .posting import fields_of
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


def test_no_page_shows_a_sensitive_value(admin_client, declared):
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
    kwargs = json.dumps({"key": QUOTED})
    Job.objects.filter(pk=ROW).update(kwargs=kwargs)
    job = Job.objects.get(pk=ROW)
    execution = make_execution(
        job, status="failed", log=f"with {QUOTED}", return_value=kwargs, traceback=repr(QUOTED)
    )
    page = admin_client.get(reverse("admin:scheduler_execution_change", args=[execution.pk]))
    for name in ("log", "result", "traceback"):
        assert "cret" not in page.context[name], name


def test_what_is_no_unicode_is_shown_escaped(admin_client, declared):
    Job.objects.filter(pk=ROW).update(kwargs='{"key": "caf\\udce9", "batch": "\\udce9"}')
    job = Job.objects.get(pk=ROW)
    execution = make_execution(job, status="succeeded", return_value='"\\udce9"')
    for url in pages(job, execution):
        assert admin_client.get(url).status_code == 200, url
    page = admin_client.get(reverse("admin:scheduler_execution_change", args=[execution.pk]))
    assert page.context["result"] == '"\\udce9"'


def test_a_sensitive_argument_given_by_position_is_masked(admin_client, declared):
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
    url = reverse("admin:scheduler_job_change", args=[ROW])
    sent = fields_of(admin_client.get(url))
    admin_client.post(url, {**sent, "sensitive": ["batch"]})
    assert Job.objects.get(pk=ROW).sensitive == '["batch", "key"]'


@pytest.mark.parametrize("marked", ["token", "options"])
def test_neither_does_one_that_goes_through_named_options(admin_client, marked):
    kwargs = {"name": "x", "token": SECRET}
    scheduler.add_job(
        bodies.through, "interval", hours=1, kwargs=kwargs, id="job", sensitive=[marked]
    )
    scheduler.modify_job("job", kwargs={**kwargs, "name": "y"})
    job = Job.objects.get()
    for url in pages(job, make_execution(job, status="failed", log=f"with {SECRET}")):
        assert SECRET not in admin_client.get(url).content.decode(), url
    url = reverse("admin:scheduler_job_change", args=["job"])
    sent = {**fields_of(admin_client.get(url)), "arg_name": "z"}
    assert admin_client.post(url, sent).status_code == 302
    assert json.loads(Job.objects.get().kwargs) == {"name": "z", "token": SECRET}
    run = reverse("admin:scheduler_job_run", args=["job"])
    sent = {**fields_of(admin_client.get(run)), "arg_name": "now"}
    assert admin_client.post(run, sent).status_code == 302
    run_now = Execution.objects.get(kind="manual")
    assert json.loads(run_now.kwargs) == {"name": "now", "token": SECRET}


@pytest.mark.parametrize(
    "arguments", [{"kwargs": {"user": "ann", "password": SECRET}}, {"args": ["ann", SECRET]}]
)
def test_one_that_is_called_a_password_needs_no_mark(admin_client, arguments):
    scheduler.add_job(bodies.sign_in, "interval", hours=1, id="job", **arguments)
    scheduler.modify_job("job", **arguments)
    job = Job.objects.get()
    assert job.sensitive == "[]"
    execution = make_execution(job, status="failed", exception=f"refused {SECRET}")
    for url in pages(job, execution):
        page = admin_client.get(url).content.decode()
        assert SECRET not in page, url
    url = reverse("admin:scheduler_job_change", args=["job"])
    sent = {**fields_of(admin_client.get(url)), "arg_user": "bob"}
    assert admin_client.post(url, sent).status_code == 302
    job.refresh_from_db()
    assert SECRET in job.args + job.kwargs
    assert "bob" in job.args + job.kwargs


@pytest.mark.parametrize(
    ("name", "secret"),
    [
        ("password", True),
        ("db_password", True),
        ("API_KEY", True),
        ("access_token", True),
        ("slack_webhook", True),
        ("webhook_url", True),
        ("ssh_key", True),
        ("jwt", True),
        ("connectionString", True),
        ("webhook_id", False),
        ("max_tokens", False),
        ("keyword", False),
        ("secretary", False),
        ("passenger", False),
    ],
)
def test_a_name_that_sounds_like_a_secret(name, secret):
    assert is_secret_name(name) is secret


def test_nor_where_the_stored_arguments_cannot_be_read(admin_client, declared):
    Job.objects.filter(pk=ROW).update(kwargs=f'{{"key": "{SECRET}"')
    job = Job.objects.get(pk=ROW)
    for url in pages(job, make_execution(job, status="failed")):
        assert SECRET not in admin_client.get(url).content.decode(), url


def test_the_history_hides_what_was_sensitive_when_it_was_written(admin_client, declared):
    url = reverse("admin:scheduler_job_change", args=[ROW])
    admin_client.post(url, {**fields_of(admin_client.get(url)), "arg_key": "another_secret"})
    other = f"{url}?func=tests.demo_app.jobs:sleep_for"
    admin_client.post(other, {**fields_of(admin_client.get(other)), "arg_seconds": "1"})
    assert Job.objects.get(pk=ROW).sensitive == "[]"
    assert "sensitive" not in Change.objects.filter(job_id=ROW).order_by("id")[1].before
    page = admin_client.get(reverse("admin:scheduler_job_history", args=[ROW])).content.decode()
    assert "keyword arguments" in page
    assert SECRET not in page
    assert "another_secret" not in page


def test_marking_an_argument_does_not_tell_it(admin_client):
    scheduler.add_job(bodies.loose, "interval", hours=1, kwargs={"key": SECRET}, id="job")
    url = reverse("admin:scheduler_job_change", args=["job"])
    admin_client.post(url, {**fields_of(admin_client.get(url)), "sensitive": ["key"]})
    assert Job.objects.get().sensitive == '["key"]'
    told = LogEntry.objects.get().change_message
    assert "sensitive: [] → " in told
    assert SECRET not in told


TYPED = {"arg_key": "typed_secret"}
REDRAWN = {
    "preview": {"_preview": "1"},
    "error": {"arg_batch": "many"},
    "conflict": {"read": "{}"},
}


@pytest.mark.parametrize("case", REDRAWN)
def test_one_that_was_typed_has_to_be_typed_again(admin_client, declared, case):
    """Not sent back, it would be dropped, and saving would keep the old one in silence."""
    url = reverse("admin:scheduler_job_change", args=[ROW])
    sent = fields_of(admin_client.get(url))
    page = admin_client.post(url, {**sent, **TYPED, **REDRAWN[case]})
    assert "typed_secret" not in page.content.decode()
    assert "Enter it again" in str(page.context["form"].errors["arg_key"])
    assert page.context["preview"]["runs"]
    # Nothing was typed: nothing is asked for.
    page = admin_client.post(url, {**sent, **REDRAWN[case]})
    assert "arg_key" not in page.context["form"].errors


def test_a_run_form_that_is_drawn_again_asks_for_a_secret_again(admin_client, declared):
    url = reverse("admin:scheduler_job_run", args=[ROW])
    page = admin_client.post(url, {**TYPED, "arg_batch": "many"})
    assert "Enter it again" in str(page.context["form"].errors["arg_key"])
    assert not Execution.objects.exists()


def test_one_that_is_not_json_is_not_repeated(admin_client):
    scheduler.add_job(bodies.loose, "interval", hours=1, args=["old"], id="job", sensitive=["key"])
    url = reverse("admin:scheduler_job_change", args=["job"])
    page = admin_client.post(url, {**fields_of(admin_client.get(url)), **TYPED})
    assert "This is not JSON" in str(page.context["form"].errors["arg_key"])
    assert "typed_secret" not in page.content.decode()
    page = admin_client.post(url, {**fields_of(admin_client.get(url)), "arg_batch": "many"})
    assert "&quot;many&quot;" in str(page.context["form"].errors["arg_batch"])


def test_the_password_of_a_url_is_known_up_to_the_last_at_sign():
    assert {"p@ss", "a b@c"} <= {*secrets_within(["redis://me:p@ss@mq/0", "amqp://:a%20b@c@mq//"])}
