"""Whether jobs are scheduled, and in time: read from the rows, so any process can answer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from .. import codeversion
from ..conf import conf
from ..definitions.loading import why_set_aside
from ..formatting import one_line
from ..masking import scrubbed
from ..models import Change, Execution, Job
from ..models.execution import Status
from ..models.job import JobState
from . import cluster
from .cluster import Cluster
from .writable import find_obstacle

CLOCK_TOLERANCE = timedelta(seconds=10)
COUNT_LIMIT = 10_000
"""Counting stops here."""
MAX_JOBS_NAMED = 5
MAX_NAME = 80
MAX_ERROR = 500
"""Characters of a job's id and of an error; both may be long."""
START_ONE = "start manage.py runapscheduler"
START_WORKER = "start one, as APSCHEDULER_WORKERS needs it"
WORKERS_MAY_TAKE = 5.0
"""Seconds from a publication to its claim that are no reason to ask for workers."""
RESUME = "To resume: manage.py scheduler resume --all"


@dataclass(frozen=True)
class Health:
    """The cluster, and what is wrong with it."""

    reasons: dict[str, str]
    """What fails the check, by the names that ``APSCHEDULER_HEALTH_FAILS_ON`` lists."""
    warnings: tuple[str, ...] = ()
    """What is wrong and does not fail it."""
    cluster: Cluster = cluster.UNREADABLE
    backlog: int = 0
    """Jobs and queued runs whose time has come."""
    oldest_due: float = 0.0
    """Seconds by which the oldest of them is late."""
    published: int = 0
    """Runs that are published and that no worker has claimed."""
    oldest_published: float = 0.0
    """Seconds since the oldest of them was published."""
    findings: tuple[tuple[str, str], ...] = ()
    """Reasons and warnings, each with its name."""
    due: Due | None = None

    @property
    def ok(self) -> bool:
        """Return whether nothing is wrong that ``HEALTH_FAILS_ON`` names."""
        return not self.reasons

    @property
    def reason(self) -> str:
        """Return why the check fails and what to do about it; empty if it does not."""
        return "; ".join(self.reasons.values())

    @property
    def status(self) -> str:
        """Return ``ok``, ``degraded`` or ``failing``."""
        if self.reasons:
            return "failing"
        return "degraded" if self.warnings else "ok"

    def as_dict(self) -> dict[str, Any]:
        """Return what the health page answers. It names no host."""
        return {
            "ok": self.ok,
            "status": self.status,
            "reason": self.reason,
            "warnings": list(self.warnings),
            "term": self.cluster.lease.term,
            "led": self.cluster.led,
            "paused_since": _iso(self.cluster.paused_at),
            "lease_remaining": round(self.cluster.lease_remaining, 3),
            "schedulers": len(self.cluster.alive),
            "workers": len(self.cluster.worker_processes),
            "backlog": self.backlog,
            "oldest_due": round(self.oldest_due, 3),
            "published": self.published,
            "oldest_published": round(self.oldest_published, 3),
        }


def read(using: str | None = None, max_lag: float | None = None) -> Health:
    """Read the scheduler's health by the database's clock.

    Args:
        max_lag: seconds; ``APSCHEDULER_HEALTH_MAX_LAG`` if None.

    Raises:
        DatabaseError: the database is away, or its tables are not there yet.
    """
    using = using or conf().DATABASE
    max_lag = conf().HEALTH_MAX_LAG if max_lag is None else max_lag
    processes = cluster.read(using)
    due = read_due(processes.now, using)
    published, oldest_published = _published(processes.now, using)
    findings = [
        ("no_leader", _no_leader(processes, using)),
        ("leader_error", _leader_error(processes)),
        ("clock", _clock_set_back(processes, using)),
        ("other_code", _other_code(processes)),
        ("publishing", _publishing(processes)),
        ("no_workers", _no_workers(processes, published, oldest_published)),
        ("paused", _paused(processes)),
        ("late", "" if processes.paused_at else _late(due, max_lag)),
        *(("quarantined", text) for text in _quarantined(using)),
    ]
    fails_on = conf().HEALTH_FAILS_ON
    reasons: dict[str, str] = {}
    for kind, text in findings:
        if text and kind in fails_on:
            reasons[kind] = f"{reasons[kind]}; {text}" if kind in reasons else text
    return Health(
        reasons,
        warnings=tuple(text for kind, text in findings if text and kind not in fails_on),
        cluster=processes,
        backlog=due.number,
        oldest_due=due.oldest,
        published=published,
        oldest_published=oldest_published,
        findings=tuple((kind, text) for kind, text in findings if text),
        due=due,
    )


@dataclass(frozen=True)
class Due:
    """Jobs and queued runs whose time has come."""

    jobs: int
    runs: int
    oldest: float
    """Seconds by which the oldest of them is late."""

    @property
    def number(self) -> int:
        """Return how many there are, jobs and runs together."""
        return self.jobs + self.runs

    def __str__(self) -> str:
        return f"{self.number}+" if self.capped else str(self.number)

    @property
    def capped(self) -> bool:
        """Return whether there may be more than were counted."""
        return self.number >= COUNT_LIMIT


def read_due(now: datetime, using: str) -> Due:
    """Count what is due, up to ``COUNT_LIMIT`` jobs and as many runs."""
    jobs = Job.objects.using(using).due(now).order_by("next_run_time")
    runs = Execution.objects.using(using).filter(status=Status.QUEUED, due_at__lte=now)
    first = [
        jobs.values_list("next_run_time", flat=True).first(),
        runs.order_by("due_at").values_list("due_at", flat=True).first(),
    ]
    due, queued = (rows.order_by()[:COUNT_LIMIT].count() for rows in (jobs, runs))
    late = [(now - at).total_seconds() for at in first if at is not None]
    return Due(due, queued, max(late, default=0.0))


def _no_leader(processes: Cluster, using: str) -> str:
    """Return what is wrong when nobody leads.

    A draining process never leads again, so it is none of those that could take over.
    """
    if processes.led:
        return ""
    if processes.lease.term == 0:
        since = "no scheduler has ever run"
        return _cannot_write(since, using) or f"{since}: {START_ONE}"
    since = f"no leader for {-processes.lease_remaining:.0f} s"
    if able := len(processes.standbys):
        return f"{since}; {able} running scheduler(s) should take over"
    if processes.draining:
        return f"{since}, and the last scheduler is stopping: {START_ONE}"
    return _cannot_write(since, using) or f"{since}, and no scheduler is running: {START_ONE}"


def _cannot_write(since: str, using: str) -> str:
    """Return what keeps processes that may be running from leading; empty if nothing does."""
    if not (obstacle := find_obstacle(using)):
        return ""
    return (
        f"{since}: the database cannot be written, {obstacle}. Scheduler processes that are "
        "running go on by themselves as soon as it can"
    )


def _leader_error(processes: Cluster) -> str:
    """Return the error that the leader reports; of the database's errors only the kind.

    What the database says of itself may name its host and user: that stays in the log.
    """
    error = processes.leader.node.error if processes.leader else ""
    kind = error.partition(":")[0]
    if kind in ("OperationalError", "InterfaceError"):
        error = f"{kind}, see its log"
    return f"leader reports an error: {one_line(error, MAX_ERROR)}" if error else ""


def _publishing(processes: Cluster) -> str:
    """Return that publishing fails, without the broker's own words: they may name host and user."""
    error = processes.leader.node.publish_error if processes.leader else ""
    kind = error.partition(":")[0]
    return f"runs cannot be published to the workers: {kind}, see the leader's log" if error else ""


def _no_workers(processes: Cluster, published: int, oldest: float) -> str:
    if processes.worker_processes or oldest < WORKERS_MAY_TAKE:
        return ""
    return f"{published} run(s) wait for a worker, and none is alive: {START_WORKER}"


def _published(now: datetime, using: str) -> tuple[int, float]:
    unclaimed = Execution.objects.using(using).unclaimed()
    first = unclaimed.order_by("published_at").values_list("published_at", flat=True).first()
    oldest = max((now - first).total_seconds(), 0.0) if first else 0.0
    return unclaimed.order_by()[:COUNT_LIMIT].count() if first else 0, oldest


def _clock_set_back(processes: Cluster, using: str) -> str:
    """Return by how much the database's clock was set back, as what happened later than now tells.

    Of a job that runs once a day no run may have ended for long.
    """
    soonest = processes.now + CLOCK_TOLERANCE
    ended = Execution.objects.using(using).filter(finished_at__gt=soonest).order_by("-finished_at")
    changed = Change.objects.using(using).filter(at__gt=soonest).order_by("-at")
    led = processes.lease.acquired_at
    later = {
        "a run ended": ended.values_list("finished_at", flat=True).first(),
        "a job was changed": changed.values_list("at", flat=True).first(),
        "the leader began": led if led is not None and led > soonest else None,
    }
    what, last = max(later.items(), key=lambda item: item[1] or processes.now)
    if last is None:
        return ""
    back = (last - processes.now).total_seconds()
    return (
        f"the database's clock was set back: {what} {back:.0f} s from now, and jobs planned "
        "then do not start before. Set the clock right; if it is right now, pause the jobs and "
        "resume them"
    )


def _other_code(processes: Cluster) -> str:
    """Return whether processes run other code, in words. A draining one is being replaced."""
    current = [process for process in processes.alive if process.role != "draining"]
    codes = {process.node.code for process in current} - {""}
    if codes <= {codeversion.digest()}:
        return ""
    return "a scheduler process runs other code than this process: restart the scheduler"


def _paused(processes: Cluster) -> str:
    """Return since when the cluster is paused; ``scheduler status`` and the admin say by whom."""
    if processes.paused_at is None:
        return ""
    return f"paused since {processes.paused_at:%Y-%m-%d %H:%M:%S} UTC: no run starts. {RESUME}"


def _late(due: Due, max_lag: float) -> str:
    if due.oldest <= max_lag:
        return ""
    return f"the oldest due run is {due.oldest:.0f} s late ({due} are due)"


def _iso(at: datetime | None) -> str | None:
    return at.isoformat() if at else None


def _quarantined(using: str) -> tuple[str, ...]:
    jobs = Job.objects.using(using).filter(state=JobState.QUARANTINED).order_by("id")
    found = list(jobs[: MAX_JOBS_NAMED + 1])
    lines = [_why_quarantined(job) for job in found[:MAX_JOBS_NAMED]]
    return (*lines, "other jobs are quarantined too") if len(found) > MAX_JOBS_NAMED else (*lines,)


def _why_quarantined(job: Job) -> str:
    error = one_line(scrubbed(why_set_aside(job), job), MAX_ERROR)
    return f"job {one_line(job.id, MAX_NAME)} is quarantined: {error}"
