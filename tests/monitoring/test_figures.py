"""Whoever shows a number shows the same: pages, metrics, health and the command."""

from __future__ import annotations

import json
import os
from collections import Counter, defaultdict
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db.models import Q, Sum
from django.utils import timezone
from home.board import read_board
from scheduler.admin.capped import MAX_COUNTED
from scheduler.admin.overview import page as overview
from scheduler.admin.trends import figures, periods
from scheduler.admin.trends.page import read_now
from scheduler.engine.maintenance import tallies
from scheduler.models import Execution, Job, Node, TallyOpen
from scheduler.models.execution import FINAL, PROBLEMS
from scheduler.monitoring import health
from scheduler.monitoring.metrics import RowCollector

from tests.monitoring import rows
from tests.seeding import seed

pytestmark = pytest.mark.django_db

Figures = dict[str, Any]


def capped(number: int) -> str:
    return f"{MAX_COUNTED:,}+" if number >= MAX_COUNTED else f"{number:,}"


def counted_here(at: datetime) -> Figures:
    """What the rows say, counted without any help."""
    runs, jobs = Execution.objects.order_by(), Job.objects.all()
    day = runs.filter(finished_at__gte=at - timedelta(days=1))
    alive = [n for n in Node.objects.all() if (at - n.beat_at).total_seconds() <= n.ttl]
    due_jobs = jobs.filter(state="active", next_run_time__lte=at)
    due_runs = runs.filter(status="queued", due_at__lte=at)
    sums = runs.filter(status__in=FINAL).values_list("status").annotate(runs=Sum("slots"))
    late = [at - j.next_run_time for j in due_jobs] + [at - r.due_at for r in due_runs]
    return {
        "processes": len(alive),
        "workers": sum(node.workers or 0 for node in alive),
        "busy workers": sum(node.busy_workers or 0 for node in alive),
        "quarantined": jobs.filter(state="quarantined").count(),
        "due": due_jobs.count() + due_runs.count(),
        "oldest due": round(max(late).total_seconds(), 3),
        "queued": capped(runs.filter(status="queued").count()),
        "running": capped(runs.filter(status="running").count()),
        "succeeded in a day": capped(day.filter(status="succeeded").count()),
        "problems in a day": capped(day.filter(status__in=PROBLEMS).count()),
        "ever": Counter(dict(sums)),
    }


def of_overview(at: datetime) -> Figures:
    found = overview.read(User(is_superuser=True, is_active=True))
    return {
        "processes": len(found.cluster.alive),
        "workers": found.cluster.workers,
        "busy workers": found.cluster.busy_workers,
        "quarantined": found.quarantined,
        "due": found.due.number,
        "oldest due": round(found.due.oldest, 3),
        "queued": str(found.queued),
        "running": str(found.running_now),
        "succeeded in a day": str(found.counts["succeeded"]["day"]),
        "problems in a day": str(found.counts["problems"]["day"]),
    }


def of_landing_page(at: datetime) -> Figures:
    board = read_board(insider=True)
    return {
        "processes": len(board.cluster.alive),
        "queued": board.activity.queued,
        "running": board.activity.running,
        "succeeded in a day": board.activity.succeeded,
        "problems in a day": board.activity.problems,
    }


def of_health(at: datetime) -> Figures:
    said = health.read().as_dict()
    return {
        "processes": said["schedulers"],
        "due": said["backlog"],
        "oldest due": said["oldest_due"],
    }


def of_status(at: datetime) -> Figures:
    out = StringIO()
    with suppress(SystemExit):
        call_command("scheduler", "status", "--json", stdout=out)
    said = json.loads(out.getvalue())
    alive = [node for node in said["nodes"] if node["role"] != "silent"]
    return {
        "processes": len(alive),
        "workers": sum(node["workers"] or 0 for node in alive),
        "busy workers": sum(node["busy_workers"] or 0 for node in alive),
        "due": said["backlog"],
        "oldest due": said["oldest_due"],
    }


def of_metrics(at: datetime) -> Figures:
    values: defaultdict[str, float] = defaultdict(float)
    ever: Counter[str] = Counter()
    for family in RowCollector().collect():
        for sample in family.samples:
            values[sample.name] += sample.value
            if sample.name == "scheduler_runs_total" and sample.value:
                ever[sample.labels["outcome"]] += int(sample.value)
    return {
        "processes": values["scheduler_processes"],
        "workers": values["scheduler_workers"],
        "busy workers": values["scheduler_busy_workers"],
        "quarantined": values["scheduler_quarantined_jobs"],
        "due": values["scheduler_due_backlog"],
        "oldest due": round(values["scheduler_oldest_due_seconds"], 3),
        "ever": ever,
    }


def of_trends(at: datetime) -> Figures:
    found = read_now("default", at)
    return {
        "processes": len(found.cluster.alive),
        "workers": found.cluster.workers,
        "busy workers": found.cluster.busy_workers,
        "due": found.due.number,
        "oldest due": round(found.due.oldest, 3),
        "running": str(found.running),
    }


READERS: list[Callable[[datetime], Figures]] = [
    of_overview,
    of_landing_page,
    of_health,
    of_status,
    of_metrics,
    of_trends,
]


def outcomes_in_trends(at: datetime) -> list[Counter[str]]:
    """By outcome: of all jobs together, and of each job added up."""
    bins = periods.cut(periods.PERIODS["quarter"], at, utc=True)
    together: Counter[str] = Counter()
    for each in figures.by_bin(figures.rows_of_all("default"), bins):
        together.update({status: n for status, n in each.outcomes.items() if n})
    job_days = figures.Trend.objects.filter(span=figures.Span.JOB_DAY, start__gte=bins[0].start)
    by_job = job_days.aggregate(**{f"of_{status}": Sum(status) for status in FINAL})
    return [together, Counter({s: by_job[f"of_{s}"] for s in FINAL if by_job[f"of_{s}"]})]


def check_that_all_agree(at: datetime) -> None:
    right = counted_here(at)
    for reader in READERS:
        found = reader(at)
        assert found == {name: right[name] for name in found}, reader.__name__
    mark = tallies.counted_up_to("default")
    noted = TallyOpen.objects.values("execution_id")
    settled = Execution.objects.filter(Q(id__lte=mark) & ~Q(id__in=noted)).order_by()
    sums = Counter(dict(settled.values_list("status").annotate(runs=Sum("slots"))))
    assert sums
    for counted in outcomes_in_trends(at):
        assert counted == sums


def fill(jobs: int, executions: int, days: float) -> datetime:
    """Rows as a busy scheduler leaves them, with something of everything that is shown."""
    pytest.importorskip("prometheus_client", reason="prometheus-client is not installed")
    seed(jobs, executions, days=days)
    at = timezone.now()
    Node.objects.update(workers=10, busy_workers=3, ttl=3600)
    rows.node(at, pid=12, role="standby", workers=4, busy_workers=1, ttl=3600)
    rows.node(at - timedelta(hours=3), pid=13, role="standby", workers=99, busy_workers=99)
    rows.job("gone.bad", state="quarantined")
    for number in range(7):
        rows.execution("gone.bad", "queued", due_at=at - timedelta(minutes=number))
        rows.execution("gone.bad", "running", due_at=at - timedelta(minutes=number))
    rows.execution("gone.bad", "missed", due_at=at - timedelta(minutes=5), slots=40)
    rows.execution("reminder-1", due_at=at - timedelta(minutes=5))
    while tallies.count_settled(at, "default")[1]:
        pass
    return at


@pytest.mark.parametrize(("executions", "days"), [(600, 3.0), (7000, 1.0)])
def test_every_figure_is_the_same_wherever_it_is_shown(executions, days):
    at = fill(40, executions, days)
    with rows.database_clock(at):
        check_that_all_agree(at)


@pytest.mark.slow
def test_every_figure_is_the_same_with_many_executions():
    """FIGURES=1000000 makes it a million, which takes minutes to fill in and to count."""
    at = fill(1000, int(os.environ.get("FIGURES", "30000")), 30.0)
    with rows.database_clock(at):
        check_that_all_agree(at)
