"""One chaos run: a database, three schedulers, a load, faults one after another, a verdict."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from .checker import Expected, Verdict, judge, read_rows
from .cluster import Cluster
from .deck import FAULTS, Fault
from .faults import Struck, beyond
from .load import STEADY, Load, Steady, add_steady_jobs
from .record import now
from .servers import Server, SQLite

RECOVERS_WITHIN = 30.0
"""Seconds after which nobody running anything is a failure of its own, whatever the fault."""
TOO_MANY_TRIES = 20


@dataclass(frozen=True)
class Felt:
    """How long one fault was felt."""

    fault: str
    seconds: float
    """Takeover: from the fault to the new term. Otherwise: from its end to the first body."""
    bound: float | None
    takeover: bool


@dataclass
class Outcome:
    verdict: Verdict
    felt: list[Felt] = field(default_factory=list)
    terms: int = 0
    audited: int = 0
    """Slots that ``manage.py scheduler audit`` recomputed."""
    seconds: float = 0.0


def chaos(
    server: Server | SQLite,
    folder: Path,
    *,
    faults: int,
    ttl: float,
    seed: int,
    say: Callable[[str], None],
    only: str = "",
) -> Outcome:
    """Django must be set up for ``server.url()`` and its tables made."""
    cluster = Cluster(server, folder, ttl)
    began = now()
    try:
        first = add_steady_jobs()
        cluster.start_missing()
        cluster.wait_for_starts(0.0, RECOVERS_WITHIN, "the first start")
        load = Load(seed)
        load.start()
        felt = _strike_all(cluster, faults, random.Random(seed), say, only)
        load.stop()
        settle(cluster)
        cluster.stop()
        outcome = judge_all(cluster, first, load)
        outcome.felt, outcome.seconds = felt, now() - began
        return outcome
    finally:
        cluster.destroy()


def _strike_all(
    cluster: Cluster, count: int, chance: random.Random, say: Callable[[str], None], only: str
) -> list[Felt]:
    kinds = [fault for fault in FAULTS if fault.exists_on(cluster) and only in fault.name]
    deck: list[Fault] = []
    felt: list[Felt] = []
    tries = 0
    while len(felt) < count and tries < TOO_MANY_TRIES:
        deck = deck or chance.sample(kinds, len(kinds))
        fault = deck.pop()
        wall, term = time.time() - now(), current_term()
        struck = fault.strike(cluster)
        tries += 1
        if struck is not None:
            tries = 0
            felt.append(_feel(cluster, fault, struck, wall, term))
            say(f"{len(felt):4} {felt[-1].seconds:6.2f} s  {felt[-1].fault}")
        cluster.start_missing()
        time.sleep(chance.uniform(0.1, 1.0))
    return felt


def _feel(cluster: Cluster, fault: Fault, struck: Struck, wall: float, term: int) -> Felt:
    served = cluster.wait_for_starts(struck.at, RECOVERS_WITHIN, fault.name)
    if struck.takeover is None:
        return Felt(fault.name, served, struck.service, takeover=False)
    locked = isinstance(cluster.server, SQLite) and not struck.dead
    if not locked:
        cluster.wait_for(lambda: taken_at(struck.at + wall, term), RECOVERS_WITHIN, "a new term")
    at = taken_at(struck.at + wall, term)
    gap = at.timestamp() - (struck.at + wall) if at else None
    if locked and (gap is None or gap > beyond(cluster)):
        return Felt(f"{fault.name}, in its transaction", served, None, takeover=False)
    assert gap is not None
    return Felt(fault.name, gap, struck.takeover, takeover=True)


def current_term() -> int:
    from scheduler.models import Term

    return Term.objects.order_by("-term").values_list("term", flat=True).first() or 0


def taken_at(after: float, term: int) -> datetime | None:
    """When the next term began. Before a clock was set back, older ones began "later" than now."""
    from scheduler.models import Term

    moment = datetime.fromtimestamp(after, UTC)
    rows = Term.objects.filter(acquired_at__gt=moment, term__gt=term)
    return rows.order_by("term").values_list("acquired_at", flat=True).first()


def settle(cluster: Cluster, steady: Sequence[Steady] = STEADY, limit: float = 60) -> None:
    """Until every promise is kept: no one-shot waits, nothing is queued or running."""
    from scheduler.models import Execution, Job

    Job.objects.filter(id__in=[*(job.id for job in steady), "edited"]).update(state="paused")

    def settled() -> bool:
        open_runs = Execution.objects.filter(status__in=["queued", "running"])
        return not open_runs.exists() and not Job.objects.filter(id__startswith="once-").exists()

    cluster.wait_for(settled, limit, "the queue to empty")


def judge_all(
    cluster: Cluster, first: datetime, load: Load, steady: Sequence[Steady] = STEADY
) -> Outcome:
    """Compare the record with the ledger, and ask the audit too."""
    from scheduler.models import Execution, Job, Term
    from scheduler.monitoring.audit import audit

    until = dict(Job.objects.values_list("id", "next_run_time"))
    expected = [
        Expected(job.id, first, timedelta(seconds=job.interval), until[job.id], job.again, job.sure)
        for job in steady
    ]
    terms = list(Term.objects.order_by("term").values_list("term", flat=True))
    verdict = judge(
        cluster.record.lines(),
        read_rows(Execution.objects.values()),
        expected,
        load.one_shots,
        load.manual,
        terms,
        load.tasks,
        load.rolled_back,
    )
    verdict.wrong("the load met an error", load.errors)
    report = audit("default", first - timedelta(minutes=1), datetime.now(UTC))
    verdict.wrong(
        "unexplained by the audit",
        [f"{found.job_id} at {found.slot.isoformat()}: {found.what}" for found in report.findings]
        + report.notes,
    )
    return Outcome(verdict, terms=len(terms), audited=report.owed)
