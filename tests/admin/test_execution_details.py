"""A search for who asked, where it ran and what it said; and what a list says about itself."""

from __future__ import annotations

from uuid import uuid4

import pytest
from django.contrib import admin
from django.contrib.messages import get_messages
from django.utils import timezone
from scheduler.admin.executions import query
from scheduler.models import Change, Job, Node, Term

from .test_actions import ROW, make_execution

pytestmark = pytest.mark.django_db

LIST = "/admin/scheduler/execution/"
JOBS = "/admin/scheduler/job/"


def listed(admin_client, **asked) -> list[int]:
    return [row.pk for row in admin_client.get(LIST, asked).context["cl"].result_list]


def node(host: str, pid: int) -> Node:
    now = timezone.now()
    return Node.objects.create(host=host, pid=pid, started_at=now, beat_at=now, ttl=6)


@pytest.mark.parametrize("more", [{}, {"status": "failed"}, {"job": ROW}, {"when": "day"}])
def test_runs_are_found_by_requester_node_and_message_together_and_each(
    admin_client, declared, more
):
    job, north, south = declared[ROW], node("north", 7), node("south", 7)
    found = []
    for requester, where, message in (
        ("anna", north, "ValueError: no Order 7"),
        ("bob", north, "KeyError: no order"),
        ("anna", south, "OSError: disk full"),
    ):
        columns = {"requested_by": requester, "node_id": where.pk, "exception": message}
        ended = timezone.now()
        run = make_execution(
            job, status="failed", finished_at=ended, scheduled_run_time=None, **columns
        )
        found.append(run.pk)
    one, two, three = found
    assert listed(admin_client, by="ANN", **more) == [three, one]
    assert listed(admin_client, node="nort", **more) == [two, one]
    assert listed(admin_client, node="NORTH:7", **more) == [two, one]
    assert listed(admin_client, node="north:8", **more) == []
    assert listed(admin_client, error="order", **more) == [two, one]
    assert listed(admin_client, by="anna", node="north", error="NO ORDER", **more) == [one]


def test_a_message_is_found_in_the_reason_too_as_the_list_shows_it(admin_client, declared):
    lost = make_execution(declared[ROW], status="lost", reason="its scheduler n:1 is gone")
    assert listed(admin_client, error="is gone") == [lost.pk]


def test_a_process_that_is_gone_is_found_and_named_by_the_term_that_it_led(admin_client, declared):
    gone = uuid4()
    Term.objects.create(
        term=1, node_id=gone, host="west", pid=9, cause="first", acquired_at=timezone.now()
    )
    run = make_execution(declared[ROW], node_id=gone)
    page = admin_client.get(LIST, {"node": "west"})
    assert [row.pk for row in page.context["cl"].result_list] == [run.pk]
    assert "west:9" in page.content.decode()


def test_a_masked_value_cannot_be_guessed_by_searching_for_it(admin_client, declared):
    secrets = {"kwargs": '{"warehouse": "hunter2"}', "sensitive": '["warehouse"]'}
    run = make_execution(declared[ROW], exception="ValueError: hunter2 refused", **secrets)
    make_execution(declared[ROW], exception="hunter2", scheduled_run_time=None, **secrets)
    assert listed(admin_client, error="hunter") == []
    assert listed(admin_client, error="refused") == [run.pk]


def test_pages_keep_the_details_that_were_asked_for(admin_client, declared):
    for number in range(130):
        make_execution(declared[ROW], scheduled_run_time=None, requested_by="ab"[number % 2])
    page = admin_client.get(LIST, {"by": "a"})
    older = page.context["cl"].older_url
    assert "by=a" in older
    page = admin_client.get(f"{LIST}{older}")
    assert {row.requested_by for row in page.context["cl"].result_list} == {"a"}
    assert len(page.context["cl"].result_list) == 15
    assert "by=a" in page.context["cl"].newer_url


@pytest.mark.parametrize("detail", [{"by": "anna"}, {"node": "north"}, {"error": "order"}])
def test_a_search_that_no_index_serves_says_what_it_left_out(
    monkeypatch, admin_client, declared, detail
):
    monkeypatch.setattr(query, "MAX_SEARCHED", 2)
    node("north", 7)
    runs = [make_execution(declared[ROW], scheduled_run_time=None).pk for _ in range(5)]
    page = admin_client.get(LIST, detail).content.decode()
    assert f"Only executions from #{runs[-3]} on were searched." in page


def test_a_job_that_was_removed_long_ago_is_found_by_a_part_of_its_id(
    monkeypatch, admin_client, declared
):
    monkeypatch.setattr(query, "MAX_SEARCHED_OF_JOB", 3)
    row = declared[ROW]
    gone = Job(id="reminder-1", name="Mail to Anna", func=row.func, trigger=row.trigger)
    run = make_execution(gone, job_name=gone.name)
    newer = [make_execution(row, scheduled_run_time=None).pk for _ in range(5)]
    at = timezone.now()
    Change.objects.create(job_id=gone.pk, job_uid=gone.uid, action="removed", at=at)
    assert listed(admin_client, q="MINDER") == [run.pk]
    page = admin_client.get(LIST, {"q": "anna"}).content.decode()
    assert f"by name among executions from #{newer[-3]} on." in page


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"status": "broken"}, "No filter “status” has the value “broken”: left out."),
        ({"kind": "odd"}, "No filter “kind” has the value “odd”"),
        ({"when": "century"}, "No filter “when” has the value “century”"),
        ({"from": "soon"}, "“soon” is no time: left out."),
        ({"to": "2026-13-01"}, "“2026-13-01” is no time"),
        ({"from": "2026-11-28", "to": "2026-11-20"}, "before “to”: exchange them."),
        ({"before": "here"}, "There is no such place in the list"),
        ({"node": "nowhere"}, "No scheduler process on a host like “nowhere” is known."),
    ],
)
def test_a_value_that_does_not_exist_is_named(admin_client, declared, asked, said):
    make_execution(declared[ROW])
    answer = admin_client.get(LIST, asked)
    assert answer.status_code == 200
    assert said in answer.content.decode()
    assert said not in admin_client.get(LIST).content.decode()


@pytest.mark.parametrize("name", ["state__exact", "last", "due", "declared"])
def test_a_value_that_no_job_has_is_named_and_the_rest_is_kept(admin_client, declared, name):
    answer = admin_client.get(JOBS, {name: "odd", "q": "a"}, follow=True)
    assert answer.redirect_chain == [(f"{JOBS}?q=a", 302)]
    assert f"No filter “{name}” has the value “odd”: left out." in answer.content.decode()


@pytest.mark.parametrize("asked", [{}, {"status": "odd", "kind": "odd"}])
def test_a_filter_that_leaves_nothing_out_says_all(admin_client, declared, asked):
    changelist = admin_client.get(LIST, asked).context["cl"]
    for spec in changelist.filter_specs:
        chosen = [str(each["display"]) for each in spec.choices(changelist) if each["selected"]]
        assert chosen == ["All"], spec.title


@pytest.mark.parametrize("address", [LIST, JOBS])
@pytest.mark.parametrize(
    ("asked", "said", "left"),
    [
        ("?nonsense=1&q=a", "There is no filter nonsense: left out.", "?q=a"),
        ("?log__contains=a", "There is no filter log__contains: left out.", ""),
    ],
)
def test_a_filter_that_does_not_exist_is_named_and_the_rest_is_kept(
    admin_client, declared, address, asked, said, left
):
    answer = admin_client.get(address + asked)
    assert (answer.status_code, answer.url) == (302, address + left)
    assert [str(each) for each in get_messages(answer.wsgi_request)] == [said]


def test_a_page_that_does_not_exist_leads_to_the_first(monkeypatch, admin_client, declared):
    monkeypatch.setattr(admin.site.get_model_admin(Job), "list_per_page", 2)
    answer = admin_client.get(f"{JOBS}?p=999", follow=True)
    assert answer.redirect_chain[-1][0] == JOBS
    assert "There is no such page or filter." in answer.content.decode()


@pytest.mark.parametrize("asked", ["?q=zzz", "?last=problems", "?state__exact=retired"])
def test_a_list_of_no_jobs_offers_the_way_out(admin_client, declared, asked):
    page = admin_client.get(JOBS + asked).content.decode()
    assert 'No job matches. <a href="?">Show all jobs</a>' in page


def test_an_empty_database_says_what_to_do(admin_client, db):
    assert "There is no job yet." in admin_client.get(JOBS).content.decode()
    assert "No job has run yet." in admin_client.get(LIST).content.decode()
