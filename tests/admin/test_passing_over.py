"""Actions on jobs that they are not for, on more jobs than a page holds, and the way back."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from django.contrib.admin.models import LogEntry
from django.utils import timezone
from scheduler.admin.job_actions import ACTIONS
from scheduler.models import Execution, Job
from scheduler.models.job import JobState

from .test_actions import LIST, ROW, make_execution
from .test_words import JOB, told

pytestmark = pytest.mark.django_db

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


@pytest.mark.parametrize("action", ["run_selected", "delete_selected"])
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
    else:
        assert left == {"many and one that nobody was shown"}


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
    answer = admin_client.post(JOB + path, {"post": "yes"})
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
