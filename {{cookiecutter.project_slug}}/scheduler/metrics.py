"""``/metrics`` for Prometheus, read from the rows: any web worker answers for the whole cluster.

Needs the package ``prometheus-client`` and ``APSCHEDULER_METRICS_TOKEN``. Every recurring job has
all its series from the start, at zero: a series that begins with its first failure shows no rise.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any

from django.db.utils import Error as DatabaseError
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare

from . import health
from .conf import conf
from .engine import tallies
from .engine.clock import db_now
from .models import Job, Lease, Node, Term
from .models.execution import FINAL, Status
from .models.job import JobState
from .models.node import Role

GAUGES = {
    "up": "1 while the rows can be read and somebody leads within the lease",
    "term": "Number of the current term of leadership",
    "lease_remaining_seconds": "Until the lease ends; negative since it ended",
    "processes": "Scheduler processes that are alive, the leader among them",
    "due_backlog": "Jobs and queued runs whose time has come",
    "oldest_due_seconds": "By how much the oldest of them is late",
    "quarantined_jobs": "Jobs whose definition cannot be loaded",
    "takeover_gap_seconds": "How long nobody gave a sign of life before the current term",
}
"""Name, without the prefix, to help text."""
VITALS = {
    "renew_seconds": "How long the leader's last renewal of the lease took",
    "loop_lag_seconds": "By how much the loop's last beat came later than it was meant to",
    "wake_latency_seconds": "From a NOTIFY until the loop had heard it, by its last self-test",
}
"""Of each process, as they are called in its row. A series is there once it was measured."""


def view(request: HttpRequest) -> HttpResponse:
    """Answers whoever sends ``Authorization: Bearer`` and the token; 404 while there is none."""
    token = conf().METRICS_TOKEN
    if not token:
        return _plain("No metrics: APSCHEDULER_METRICS_TOKEN is not set.", 404)
    if not constant_time_compare(request.headers.get("Authorization", ""), f"Bearer {token}"):
        answer = _plain("Send Authorization: Bearer TOKEN.", 401)
        answer.headers["WWW-Authenticate"] = "Bearer"
        return answer
    if find_spec("prometheus_client") is None:
        return _plain("No metrics: python -m pip install prometheus-client", 501)
    from prometheus_client import CollectorRegistry
    from prometheus_client.exposition import choose_encoder

    registry = CollectorRegistry(auto_describe=False)
    registry.register(RowCollector())
    encode, content_type = choose_encoder(request.headers.get("Accept", ""))
    return HttpResponse(
        encode(registry), content_type=content_type, headers={"Cache-Control": "no-store"}
    )


class RowCollector:
    """Reads the rows once for each scrape. While they cannot be read, only ``up`` is there: 0."""

    def collect(self) -> Iterator[Any]:
        try:
            yield from [*_cluster(), *_processes(), *_jobs()]
        except DatabaseError:
            yield _gauge("up", 0.0)

    def describe(self) -> list[Any]:
        return []


def _cluster() -> Iterator[Any]:
    using, state = conf().DATABASE, health.read()
    quarantined = Job.objects.using(using).filter(state=JobState.QUARANTINED).count()
    gap = Term.objects.using(using).values_list("gap", flat=True).filter(term=state.term).first()
    values = {
        "up": float(state.led),
        "term": state.term,
        "lease_remaining_seconds": state.lease_remaining,
        "processes": state.schedulers,
        "due_backlog": state.backlog,
        "oldest_due_seconds": state.oldest_due,
        "quarantined_jobs": quarantined,
        "takeover_gap_seconds": gap or 0.0,
    }
    for name, value in values.items():
        yield _gauge(name, value)


def _processes() -> Iterator[Any]:
    from prometheus_client.core import GaugeMetricFamily

    labels = ["host", "pid"]
    leads = GaugeMetricFamily("scheduler_is_leader", "1 for the process that leads", labels=labels)
    vitals = {
        name: GaugeMetricFamily(f"scheduler_{name}", text, labels=labels)
        for name, text in VITALS.items()
    }
    using, now = conf().DATABASE, db_now(conf().DATABASE)
    holder = Lease.objects.using(using).values_list("holder", flat=True).first()
    for node in Node.objects.using(using).exclude(role=Role.STOPPED):
        if not node.is_alive(now):
            continue
        process = [node.host, str(node.pid)]
        leads.add_metric(process, float(node.id == holder))
        for name, family in vitals.items():
            if (seconds := getattr(node, name)) is not None:
                family.add_metric(process, seconds)
    yield from (leads, *vitals.values())


def _jobs() -> Iterator[Any]:
    from prometheus_client.core import CounterMetricFamily, SummaryMetricFamily

    using = conf().DATABASE
    known, sums = tallies.recurring_jobs(using), tallies.totals(using)
    jobs = [tallies.ONE_OFF, *sorted(known)]
    runs = CounterMetricFamily(
        "scheduler_runs",
        "Ended runs and slots that were not run; job_id is empty for one-off jobs",
        labels=["job_id", "outcome"],  # Prometheus owns "job": the name of the scrape
    )
    orphans = CounterMetricFamily("scheduler_orphans", "Runs whose process died")
    took = SummaryMetricFamily("scheduler_run_seconds", "How long bodies ran", labels=["job_id"])
    lag = SummaryMetricFamily(
        "scheduler_start_lag_seconds", "From when a run was due to its start", labels=["job_id"]
    )
    nothing = tallies.Sum()
    for job in jobs:
        by_outcome = {status: sums.get((job, status), nothing) for status in FINAL}
        for status, total in by_outcome.items():
            runs.add_metric([job, status], total.runs)
        ran = [by_outcome[status] for status in FINAL if status not in NOT_RUN]
        count = sum(total.runs for total in ran)
        took.add_metric([job], count, sum(total.run_seconds for total in ran))
        lag.add_metric([job], count, sum(total.lag_seconds for total in ran))
    lost = (total.runs for (_, status), total in sums.items() if status == Status.LOST)
    orphans.add_metric([], sum(lost))
    yield from (runs, orphans, took, lag)


NOT_RUN = (Status.MISSED, Status.SKIPPED, Status.CANCELLED)


def _gauge(name: str, value: float) -> Any:
    from prometheus_client.core import GaugeMetricFamily

    return GaugeMetricFamily(f"scheduler_{name}", GAUGES[name], value=value)


def _plain(text: str, status: int) -> HttpResponse:
    return HttpResponse(text + "\n", content_type="text/plain", status=status)
