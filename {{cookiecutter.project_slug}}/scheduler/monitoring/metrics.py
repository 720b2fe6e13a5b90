"""``/metrics`` for Prometheus, read from the rows: any web worker answers for the whole cluster.

Needs the package ``prometheus-client`` and ``APSCHEDULER_METRICS_TOKEN``. Every recurring job has
all its series from the start, at zero: a series that begins with its first failure shows no rise.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db.utils import Error as DatabaseError

from ..conf import conf
from ..engine.maintenance import tallies
from ..models import Job, Term
from ..models.execution import FINAL, TASK_PREFIX, Status
from ..models.job import JobState
from . import cluster, health

GAUGES = {
    "up": "1 while the rows can be read and somebody leads within the lease",
    "term": "Number of the current term of leadership",
    "lease_remaining_seconds": "Until the lease ends; negative since it ended",
    "processes": "Scheduler processes that are alive, the leader among them",
    "worker_processes": "Worker processes that are alive",
    "published": "Runs that are published and that no worker has claimed",
    "oldest_published_seconds": "Since the oldest of them was published",
    "publishing_fails": "1 while the leader cannot publish to the workers",
    "paused": "1 while somebody has paused all scheduler processes",
    "due_backlog": "Jobs and queued runs whose time has come",
    "oldest_due_seconds": "By how much the oldest of them is late",
    "quarantined_jobs": "Jobs whose definition cannot be loaded",
    "takeover_gap_seconds": "How long no leader sent a heartbeat before the current term",
}
"""Name, without the prefix, to help text."""
PROCESS_GAUGES = {
    "renew_seconds": "How long the leader's last renewal of the lease took",
    "loop_lag_seconds": "By how much the loop's last beat came later than it was meant to",
    "wake_latency_seconds": "From a NOTIFY until the loop had heard it, by its last self-test",
    "workers": "How many runs the process can do at once",
    "busy_workers": "How many runs it does now",
}
"""Of each process, as they are called in its row. A series is there once it was measured."""


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
    processes, leader = state.cluster, state.cluster.leader
    quarantined = Job.objects.using(using).filter(state=JobState.QUARANTINED).count()
    terms = Term.objects.using(using).filter(term=processes.lease.term)
    gap = terms.values_list("gap", flat=True).first()
    values = {
        "up": float(processes.led),
        "term": processes.lease.term,
        "lease_remaining_seconds": processes.lease_remaining,
        "processes": len(processes.alive),
        "worker_processes": len(processes.worker_processes),
        "published": state.published,
        "oldest_published_seconds": state.oldest_published,
        "publishing_fails": float(bool(leader and leader.node.publish_error)),
        "paused": float(processes.paused_at is not None),
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
    gauges = {
        name: GaugeMetricFamily(f"scheduler_{name}", text, labels=labels)
        for name, text in PROCESS_GAUGES.items()
    }
    for process in cluster.read(conf().DATABASE).alive:
        node = process.node
        values = [node.host, str(node.pid)]
        leads.add_metric(values, float(process.leads))
        for name, family in gauges.items():
            if (seconds := getattr(node, name)) is not None:
                family.add_metric(values, seconds)
    yield from (leads, *gauges.values())


def _jobs() -> Iterator[Any]:
    from prometheus_client.core import CounterMetricFamily, SummaryMetricFamily

    using = conf().DATABASE
    known, sums = tallies.recurring_jobs(using), tallies.totals(using)
    tasks = {job_id for job_id, _ in sums if job_id.startswith(TASK_PREFIX)}
    jobs = [tallies.ONE_OFF, *sorted(known | tasks)]
    runs = CounterMetricFamily(
        "scheduler_runs",
        "Ended runs and slots that were not run; job_id is empty for one-off jobs, task:... for "
        "tasks",
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
