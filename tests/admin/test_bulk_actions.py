"""Actions on jobs that they are not for, on more jobs than a page holds, and the way back."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser

import pytest
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from scheduler.admin.jobs import bulk
from scheduler.admin.jobs.actions import ACTIONS
from scheduler.models import Change, Execution, Job
from scheduler.models.job import JobState

from .test_actions import LIST, ROW, make_execution
from .test_display import JOB, told

pytestmark = pytest.mark.django_db

OTHER = "demo_app.heartbeat"

NOT_FOR = [
    (action, state)
    for action in ACTIONS
    for state in JobState.values
    if state not in ACTIONS[action].applies
]


@pytest.mark.parametrize(("action", "state"), NOT_FOR)
def test_an_action_changes_no_job_that_it_is_not_for(admin_client, declared, action, state):
    Job.objects.filter(pk=ROW).update(state=state)
    before = Job.objects.filter(pk=ROW).values().get()
    answers = (
        admin_client.post(f"{JOB}{action}/"),
        admin_client.post(LIST, {"action": f"{action}_selected", "_selected_action": [ROW]}),
    )
    for answer in answers:
        level, text = told(answer)[-1]
        assert level == "warning"
        assert re.search(rf"^{ACTIONS[action].verb} passed over .* {state}\.$", text)
    assert Job.objects.filter(pk=ROW).values().get() == before
    assert not LogEntry.objects.exists()


def test_of_ticked_jobs_those_passed_over_are_counted_by_state(admin_client, declared):
    states = {"active": 2, "paused": 1, "quarantined": 1}
    wanted = [state for state, number in states.items() for _ in range(number)]
    ids = sorted(declared)[: len(wanted)]
    for pk, state in zip(ids, wanted, strict=True):
        Job.objects.filter(pk=pk).update(state=state)
    answer = admin_client.post(LIST, {"action": "retry_selected", "_selected_action": ids})
    assert [level for level, _ in told(answer)] == ["success", "warning"]
    assert told(answer)[1][1] == "Try again passed over 3 jobs: 2 active, 1 paused."
    assert set(Job.objects.filter(pk__in=ids).values_list("state", flat=True)) == {
        "active",
        "paused",
    }


class Hidden(HTMLParser):
    """The fields of the page's own form, as a browser sends them."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: dict[str, list[str]] = {}

    def handle_starttag(self, tag, attrs):
        field = dict(attrs)
        if tag == "input" and field.get("type") == "hidden":
            self.sent.setdefault(field["name"], []).append(field["value"])


@pytest.fixture
def many(declared) -> list[str]:
    row = declared[ROW]
    columns = {"func": row.func, "trigger": row.trigger, "planned_trigger": row.trigger}
    names = ["many, a/b", "many ü", *(f"many{number}" for number in range(60))]
    Job.objects.bulk_create(Job(id=name, **columns) for name in names)
    return sorted(names)


@pytest.mark.parametrize("action", ["run_selected", "delete_selected", "retire_selected"])
def test_all_jobs_of_a_filter_are_confirmed_however_many(settings, admin_client, many, action):
    settings.DATA_UPLOAD_MAX_NUMBER_FIELDS = 20
    url = f"{LIST}?q=many"
    ticked = {"action": action, "_selected_action": many[:2], "select_across": "1", "index": "0"}
    page = admin_client.post(url, ticked).content.decode()
    others = set(Job.objects.exclude(pk__in=many).values_list("pk", flat=True))
    Job.objects.create(id="many and one that nobody was shown", func="x", trigger="{}")
    form = Hidden()
    form.feed(page[page.index('id="content-main"') :])
    assert admin_client.post(url, form.sent).status_code == 302
    left = set(Job.objects.values_list("pk", flat=True)) - others
    if action == "run_selected":
        assert sorted(Execution.objects.values_list("job_id", flat=True)) == many
    elif action == "retire_selected":
        retired = Job.objects.filter(state="retired").values_list("pk", flat=True)
        assert sorted(retired) == many
    else:
        assert left == {"many and one that nobody was shown"}


def test_all_jobs_of_a_filter_are_paused_with_a_few_statements_and_a_record_each(
    admin_client, admin_user, many, monkeypatch
):
    monkeypatch.setattr(bulk, "AT_ONCE", 25)
    Job.objects.filter(pk="many7").update(state="quarantined")
    url = f"{LIST}?q=many"
    ticked = {"action": "pause_selected", "_selected_action": many[:2], "select_across": "1",
              "index": "0"}  # fmt: skip
    with CaptureQueriesContext(connection) as captured:
        answer = admin_client.post(url, ticked)
    assert len(captured) < 60, "more than one statement for each of 62 jobs"
    assert [text.partition(":")[0] for _, text in told(answer)] == [
        "61 jobs",
        "Pause passed over 1 job",
    ]
    paused = set(many) - {"many7"}
    assert set(Job.objects.filter(state="paused").values_list("pk", flat=True)) == paused
    assert not Job.objects.filter(state="paused", next_run_time__isnull=False).exists()
    changed = Change.objects.filter(action="paused", by=admin_user.get_username())
    assert set(changed.values_list("job_id", flat=True)) == paused
    entries = LogEntry.objects.filter(change_message="Pause. state: active → paused")
    assert set(entries.values_list("object_id", flat=True)) == paused


def test_one_of_many_is_paused_as_one_alone(admin_client, declared):
    for pk, url, ticked in (
        (ROW, f"{JOB}pause/", {}),
        (OTHER, LIST, {"action": "pause_selected", "_selected_action": [OTHER]}),
    ):
        admin_client.post(url, ticked)
        assert Job.objects.get(pk=pk).state == "paused"
    one, other = (Change.objects.filter(job_id=pk, action="paused").get() for pk in (ROW, OTHER))
    assert (one.after, one.by) == (other.after, other.by)
    assert json.loads(one.before).keys() == json.loads(other.before).keys()
    messages = [entry.change_message for entry in LogEntry.objects.all()]
    assert messages[0] == messages[1]


def test_a_button_of_the_list_leads_back_to_the_page_it_was_pressed_on(admin_client, declared):
    url = f"{LIST}?o=1.-2&q=demo&state__exact=active"
    page = admin_client.get(url).content.decode()
    address = re.search(rf'formaction="({JOB}pause/[^"]*)"', page)[1].replace("&amp;", "&")
    assert admin_client.post(address, {"action": ""}).url == url


@pytest.fixture
def numbered(admin_client, monkeypatch, django_user_model):
    """A user model may be told apart by what is no text."""
    monkeypatch.setattr(django_user_model, "get_username", lambda self: 4711)


@pytest.mark.usefixtures("numbered")
@pytest.mark.parametrize("path", ["pause/", "run/", "delete/", "reset/", "retire/"])
def test_a_user_who_is_a_number_may_change_a_job(admin_client, declared, path):
    Job.objects.filter(pk=ROW).update(max_retries=9)
    answer = admin_client.post(JOB + path, {"post": "yes", "confirmed": "yes"})
    assert answer.status_code == 302
    assert told(answer)[0][0] == "success"


@pytest.mark.usefixtures("numbered")
def test_a_user_who_is_a_number_may_retry_and_cancel(admin_client, declared):
    failed = make_execution(declared[ROW], status="failed", finished_at=timezone.now())
    admin_client.post(f"/admin/scheduler/execution/{failed.pk}/retry/")
    again = Execution.objects.get(kind="retry")
    assert again.requested_by == "4711"
    admin_client.post(f"/admin/scheduler/execution/{again.pk}/cancel/")
    again.refresh_from_db()
    assert (again.status, again.reason) == ("cancelled", "cancelled by 4711")
