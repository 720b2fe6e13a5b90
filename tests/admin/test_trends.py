"""The page "Trends": what it draws, where its numbers lead, and what it says of bad input."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone
from scheduler.admin.trends import chart, periods
from scheduler.engine.maintenance import tallies
from scheduler.models import Execution, Job, Node, TallyMark, Term

from tests.monitoring import rows

pytestmark = pytest.mark.django_db
TRENDS = "/admin/scheduler/execution/trends/"
LIST = "/admin/scheduler/execution/"


@pytest.fixture(autouse=True)
def noon():
    with rows.database_clock():
        yield


@pytest.fixture
def counted():
    """Two jobs with runs of the last hours and days, counted."""
    now = rows.NOON
    rows.job("shop.slow", timeout=600, warn_after=60)
    rows.job("shop.quick")
    for hours in (1, 2, 30, 24 * 20):
        due = now - timedelta(hours=hours)
        took = {"started_at": due, "finished_at": due + timedelta(seconds=100)}
        rows.execution("shop.slow", due_at=due, **took)
        rows.execution("shop.quick", due_at=due)
    due = now - timedelta(hours=1)
    for status in ("failed", "missed", "skipped"):
        rows.execution("shop.quick", status, due_at=due, started_at=None)
    tallies.count_settled(now, "default")


def charts(client, query: str) -> dict:
    page = client.get(TRENDS + query)
    assert page.status_code == 200
    return {each.name: each for each in page.context["charts"]}


@pytest.mark.parametrize(("period", "runs"), [("day", 7), ("week", 9), ("month", 11)])
def test_runs_of_a_period_are_those_that_ended_in_it(admin_client, counted, period, runs):
    drawn = charts(admin_client, f"?period={period}")["sch-runs"]
    assert sum(int(cell) for row in drawn.rows for cell in row.cells) == runs
    assert drawn.heads == ("Succeeded", "Problems", "Skipped or cancelled")


def test_each_bar_leads_to_the_list_of_its_runs(admin_client, counted):
    drawn = charts(admin_client, "")["sch-runs"]
    for row, bar in zip(drawn.rows, drawn.bars, strict=True):
        assert row.url == bar.url
        listed = admin_client.get(row.url).context["cl"].result_count
        assert listed == sum(int(cell) for cell in row.cells)


def test_rankings_name_the_slowest_the_failing_and_the_skipped_jobs(admin_client, counted):
    page = admin_client.get(TRENDS)
    found = page.context["rankings"]
    assert [job.job_id for job in found.slowest] == ["shop.slow", "shop.quick"]
    assert found.slowest[0].longest == pytest.approx(100)
    assert found.slowest[0].median == pytest.approx(100, rel=0.1)
    assert [(job.job_id, job.number, job.share) for job in found.problems] == [
        ("shop.quick", 2, 40.0)
    ]
    assert [(job.job_id, job.number) for job in found.not_run] == [("shop.quick", 2)]


def test_large_numbers_of_a_ranking_are_grouped_by_thousands(admin_client, counted):
    rows.execution("shop.quick", "missed", due_at=rows.NOON - timedelta(minutes=30), slots=12_345)
    tallies.count_settled(rows.NOON, "default")
    assert ">12,347</a>" in admin_client.get(TRENDS).content.decode()


def test_each_number_of_a_ranking_is_the_length_of_the_list_it_leads_to(admin_client, counted):
    text = admin_client.get(TRENDS).content.decode()
    links = re.findall(rf'<a href="({LIST}\?job=[^"]+)">(\d+)</a>', text)
    assert len(links) == 4
    for address, number in links:
        page = admin_client.get(address.replace("&amp;", "&"))
        assert page.context["cl"].result_count == int(number)


def test_figures_outlive_the_executions_and_then_have_no_link(admin_client, counted, settings):
    settings.APSCHEDULER_KEEP_DAYS = 7
    Execution.objects.all().delete()
    page = charts(admin_client, "?period=month")["sch-runs"]
    assert len(page.rows) == 3
    assert [bool(row.url) for row in page.rows] == [False, True, True]


def test_a_job_has_its_limits_its_days_and_its_last_runs(admin_client, counted):
    drawn = charts(admin_client, "?job=shop.slow&period=month")
    assert list(drawn) == ["sch-durations", "sch-last", "sch-runs", "sch-lag"]
    limits = {limit.label: limit.y for limit in drawn["sch-durations"].limits}
    assert list(limits) == ["timeout 10 min", "warn_after 1 min"]
    assert limits["timeout 10 min"] < limits["warn_after 1 min"]
    assert {line.kind for line in drawn["sch-durations"].lines} == {"median", "high", "max"}
    assert [row.cells[2] for row in drawn["sch-last"].rows] == ["1 min 40 s"] * 4
    address = drawn["sch-last"].rows[-1].url
    assert admin_client.get(address).status_code == 200


def test_ninety_days_are_those_of_one_job(admin_client, counted):
    offered = admin_client.get(TRENDS).context["periods"]
    assert [period.name for period in offered] == ["day", "week", "month"]
    page = admin_client.get(f"{TRENDS}?job=shop.slow&period=quarter")
    assert page.context["period"].name == "quarter"
    assert f'href="{TRENDS}?period=month"' in page.content.decode()


def test_a_job_that_is_gone_keeps_its_trends(admin_client, counted):
    Job.objects.filter(pk="shop.slow").delete()
    page = admin_client.get(f"{TRENDS}?job=shop.slow")
    assert "Trends of shop.slow" in page.content.decode()
    assert charts(admin_client, "?job=shop.slow")["sch-runs"].rows


def test_what_nobody_counted_says_so_and_leads_on(admin_client, counted):
    text = admin_client.get(f"{TRENDS}?job=no.such&period=week").content.decode()
    assert "Nothing was counted of <strong>no.such</strong>" in text
    assert "?period=quarter&amp;job=no.such" in text


@pytest.mark.parametrize(
    "query", ["?period=century", "?period=quarter", "?period=%00", "?job=%00", "?job=%F0%9F%90%8D"]
)
def test_a_period_or_a_job_that_does_not_exist_is_a_page(admin_client, query):
    text = admin_client.get(TRENDS + query).content.decode()
    assert ("There is no period" in text) == ("period" in query)


def test_who_may_not_see_executions_sees_no_trends(client, django_user_model):
    client.force_login(django_user_model.objects.create_user("guest", is_staff=True))
    assert client.get(TRENDS).status_code == 403


def test_takeovers_of_the_last_week_are_marked_and_listed(admin_client, counted):
    now = rows.NOON
    for term, hours in ((2, 1), (3, 50), (4, 24 * 9)):
        Term.objects.create(
            term=term,
            node_id="9bb1ad77-3f4b-4b4e-8d3f-d9d7a0c9f6a1",
            host="db2",
            pid=17,
            cause="expired",
            acquired_at=now - timedelta(hours=hours),
            gap=3.0,
        )
    page = admin_client.get(f"{TRENDS}?period=month")
    for drawn in page.context["charts"]:
        assert len(drawn.events) == 2
    assert "db2:17 took over (expired, nobody led for 3.0 s)" in page.content.decode()
    assert [term.term for term in page.context["takeovers"]] == [2, 3]
    assert len(admin_client.get(TRENDS).context["charts"][0].events) == 1


def test_it_says_what_is_due_and_how_busy_processes_are(admin_client, counted):
    now = rows.NOON
    node = {"host": "db1", "pid": 7, "started_at": now, "beat_at": now, "ttl": 60}
    Node.objects.create(role="standby", workers=10, busy_workers=3, **node)
    rows.execution(status="queued", due_at=now - timedelta(seconds=90))
    text = admin_client.get(TRENDS).content.decode()
    assert "3 of 10 workers" in text
    assert re.search(
        r'Due now</dt><dd><a href="[^"]*\?status=queued">1 queued</a> '
        r'<span class="sch-quiet">oldest ',
        text,
    )


def test_figures_that_are_behind_say_since_when(admin_client, counted):
    assert "Counted only up to" not in admin_client.get(TRENDS).content.decode()
    TallyMark.objects.update(complete_at=rows.NOON - timedelta(minutes=5))
    assert "Counted only up to" in admin_client.get(TRENDS).content.decode()


def test_a_local_day_with_a_change_of_the_clock_is_a_whole_day(settings):
    settings.TIME_ZONE = "Europe/Berlin"
    now = datetime(2026, 10, 26, 12, tzinfo=UTC)
    with timezone.override("Europe/Berlin"):
        bins = periods.cut(periods.PERIODS["week"], now, utc=False)
    assert len(bins) == 7
    assert [(b.end.astimezone(UTC) - b.start.astimezone(UTC)).total_seconds() / 3600
            for b in bins[-2:]] == [25, 24]  # fmt: skip
    assert periods.index(bins, now) == 6
    assert periods.index(bins, bins[0].start - timedelta(seconds=1)) is None


@pytest.mark.parametrize("highest", [0, 1, 3, 7, 10, 999, 12_345, 10**9])
def test_a_scale_of_numbers_has_few_round_steps_and_holds_the_highest(highest):
    scale = chart.Linear(highest)
    assert scale.end >= max(highest, 1)
    assert 2 <= len(scale.ticks()) <= 6
    assert scale.y(0) == chart.BOTTOM
    assert scale.y(scale.end) == chart.TOP


@pytest.mark.parametrize("seconds", [[], [None], [0.0], [0.5], [10.0], [0.002, 90_000.0], [1e9]])
def test_a_scale_of_durations_holds_them(seconds):
    scale = chart.Logarithmic.around(seconds)
    for each in filter(None, seconds):
        assert chart.TOP <= scale.y(each) <= chart.BOTTOM
    assert len(scale.ticks()) >= 2


def test_the_line_of_a_series_has_a_gap_where_nothing_ran():
    points = [chart.Mark("", "", x=x, y=1.0) for x in (1.0, 2.0, 4.0)]
    assert chart.line("median", [*points[:2], None, points[2]]).path == "M1.0 1.0L2.0 1.0M4.0 1.0"


def test_the_job_page_leads_to_its_trends(admin_client, counted):
    text = admin_client.get("/admin/scheduler/job/shop.slow/change/").content.decode()
    assert f'href="{TRENDS}?job=shop.slow"' in text
