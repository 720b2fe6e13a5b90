"""Is anybody scheduling, and in time? Read from the rows, so that any process can answer."""

from __future__ import annotations

import logging
import math
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from django.db.utils import Error as DatabaseError
from django.http import HttpRequest, HttpResponse, JsonResponse

from . import alerts
from .conf import conf
from .engine.clock import db_now, monotonic
from .masking import scrubbed
from .models import Execution, Job, Lease, Node
from .models.execution import Status
from .models.job import JobState
from .models.node import Role

logger = logging.getLogger("scheduler.health")

CAP = 10_000
"""Counting stops here."""
NAMED = 5
START_ONE = "start manage.py runapscheduler"


@dataclass(frozen=True)
class Health:
    """``reason`` says why not all is well and what to do; empty when all is."""

    reason: str
    warnings: tuple[str, ...] = ()
    term: int = 0
    led: bool = False
    lease_remaining: float = 0.0
    """Seconds; negative since it expired."""
    schedulers: int = 0
    """Living processes, the leader among them."""
    backlog: int = 0
    """Jobs and queued runs whose time has come."""
    oldest_due: float = 0.0
    """Seconds by which the oldest of them is late."""

    @property
    def ok(self) -> bool:
        return not self.reason

    def as_dict(self) -> dict[str, Any]:
        return {"ok": self.ok, **asdict(self)}


def read(using: str | None = None, max_lag: float | None = None) -> Health:
    """The scheduler's health by the database's clock.

    Args:
        max_lag: seconds; ``APSCHEDULER_HEALTH_MAX_LAG`` if None.

    Raises:
        DatabaseError: the database is away, or its tables are not there yet.
    """
    using = using or conf().DATABASE
    max_lag = conf().HEALTH_MAX_LAG if max_lag is None else max_lag
    now = db_now(using)
    lease = Lease.objects.using(using).first() or Lease()
    remaining = (lease.expires_at - now).total_seconds() if lease.expires_at else 0.0
    led = lease.holder is not None and remaining > 0
    nodes = Node.objects.using(using).exclude(role=Role.STOPPED)
    alive = [node for node in nodes if node.is_alive(now)]
    stopping = sum(node.role == Role.DRAINING for node in alive)
    leader = next((node for node in alive if led and node.id == lease.holder), None)
    backlog, oldest_due = _due(now, using)
    reasons = [
        _no_leader(lease, led, remaining, len(alive) - stopping, stopping),
        _complaint(leader.error if leader else ""),
        _late(oldest_due, backlog, max_lag),
    ]
    return Health(
        reason="; ".join(filter(None, reasons)),
        warnings=_quarantined(using),
        term=lease.term,
        led=led,
        lease_remaining=round(remaining, 3),
        schedulers=len(alive),
        backlog=backlog,
        oldest_due=round(oldest_due, 3),
    )


def view(request: HttpRequest) -> HttpResponse:
    """``/healthz/scheduler``: 200, or 503 with the reason. Names no host."""
    try:
        health = read()
    except DatabaseError as error:
        health = Health(
            f"the scheduler's tables cannot be read ({type(error).__name__}): is the database "
            "there, and is manage.py migrate done?"
        )
    else:
        _tell(health)
    headers = {"Cache-Control": "no-store"}
    return JsonResponse(health.as_dict(), status=200 if health.ok else 503, headers=headers)


_told_alone = -math.inf


def _tell(health: Health) -> None:
    """A database that can be read but not written must not hide what the page says, nor the mail.

    Then no process knows what the others told: each does once in the same time.
    """
    global _told_alone
    try:
        alerts.on_health(health)
    except DatabaseError as error:
        if _told_alone + alerts.NO_LEADER_EVERY.total_seconds() <= monotonic():
            _told_alone = monotonic()
            logger.error("The database takes no note of who was told that nobody leads: %s", error)
            alerts.tell(alerts.Alert("no leader", "", health.reason))


def _no_leader(lease: Lease, led: bool, remaining: float, able: int, stopping: int) -> str:
    """``able``: how many could take over; a process that is stopping never leads again."""
    if led:
        return ""
    if lease.term == 0:
        return f"no scheduler has ever run: {START_ONE}"
    since = f"no leader for {-remaining:.0f} s"
    if able:
        return f"{since}; {able} living scheduler(s) should take over"
    if stopping:
        return f"{since}, and the last scheduler is stopping: {START_ONE}"
    return f"{since}, and no scheduler lives: {START_ONE}"


def _complaint(error: str) -> str:
    """What the database says of itself may name its host and user: that stays in the log."""
    kind = error.partition(":")[0]
    if kind in ("OperationalError", "InterfaceError"):
        error = f"{kind}, see its log"
    return f"the leader complains: {error}" if error else ""


def _late(oldest_due: float, backlog: int, max_lag: float) -> str:
    if oldest_due <= max_lag:
        return ""
    more = "+" if backlog >= CAP else ""
    return f"the oldest due run is {oldest_due:.0f} s late ({backlog}{more} are due)"


def _due(now: datetime, using: str) -> tuple[int, float]:
    jobs = Job.objects.using(using).due(now).order_by("next_run_time")
    runs = Execution.objects.using(using).filter(status=Status.QUEUED, due_at__lte=now)
    first = [
        jobs.values_list("next_run_time", flat=True).first(),
        runs.order_by("due_at").values_list("due_at", flat=True).first(),
    ]
    backlog = sum(rows.order_by()[:CAP].count() for rows in (jobs, runs))
    late = [(now - at).total_seconds() for at in first if at is not None]
    return backlog, max(late, default=0.0)


def _quarantined(using: str) -> tuple[str, ...]:
    jobs = Job.objects.using(using).filter(state=JobState.QUARANTINED).order_by("id")
    found = list(jobs[: NAMED + 1])
    lines = [
        f"job {job.id} is quarantined: {scrubbed(job.last_error, job)}" for job in found[:NAMED]
    ]
    return (*lines, "and others") if len(found) > NAMED else tuple(lines)
