"""One run: an engine on a database, a load, faults one after another, a verdict."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from tests.proof.chaos import bodies
from tests.proof.chaos.checker import Verdict
from tests.proof.chaos.load import Load, Steady, add_steady_jobs
from tests.proof.chaos.record import now
from tests.proof.chaos.run import current_term, judge_all, settle, taken_at
from tests.proof.chaos.servers import Server

from . import outages
from .cluster import LOCAL, WorkersCluster
from .deck import FAULTS, Fault
from .engines import Engine
from .faults import Struck

RECOVERS_WITHIN = 90.0
"""Seconds after which no worker running anything is a failure of its own, whatever the fault."""
SETTLES_WITHIN = 900.0
TOO_MANY_TRIES = 20
MADE_UP_FOR = "the last message is made up for"
REPUBLISHED = 66.0
"""Seconds until a message that was lost is sent again and heard: 60, a look, a chore."""


@dataclass(frozen=True)
class Felt:
    """How long one fault was felt, by one measure."""

    fault: str
    measure: str
    seconds: float
    bound: float | None


@dataclass
class Outcome:
    verdict: Verdict
    terms: int
    audited: int
    seconds: float
    faults: int = 0
    felt: list[Felt] = field(default_factory=list)


@dataclass
class Memory:
    """What faults leave to be looked up when all is over."""

    dropped: list[tuple[str, datetime, list[int]]] = field(default_factory=list)
    spared: set[int] = field(default_factory=set)


def steady_jobs(engine: Engine) -> list[Steady]:
    on = {"executor": "workers"}
    again = {**on, "on_lost": "retry", "max_retries": 5}
    jobs = [
        Steady(LOCAL, 0.5),
        Steady("tick-0", 0.5, options=on),
        Steady("tick-1", 1.0, options={**on, "coalesce": False, "max_instances": 20}),
        Steady("long-0", 2.0, bodies.work, (1.2,), {**on, "max_instances": 3}),
        Steady("again", 1.5, bodies.work, (0.4,), again, again=True),
    ]
    if engine.can_end_bodies:
        timed = {**on, "timeout": 1}
        jobs.append(Steady("timed", 4.0, bodies.hang_at_times, options=timed, sure=False))
    return jobs


def chaos(
    server: Server,
    engine: Engine,
    folder: Path,
    *,
    faults: int,
    ttl: float,
    seed: int,
    say: Callable[[str], None],
    only: str = "",
) -> Outcome:
    """Django must be set up for ``server.url()`` and its tables made."""
    cluster = WorkersCluster(server, engine, folder, ttl)
    began, steady = now(), steady_jobs(engine)
    memory = Memory()
    try:
        first = add_steady_jobs(steady)
        cluster.start_missing()
        cluster.wait_for_starts(0.0, RECOVERS_WITHIN, "the first start")
        load = Load(seed, "workers", "default")
        load.start()
        felt, count = _strike_all(cluster, faults, random.Random(seed), say, only, memory)
        felt.append(_lose_messages(cluster))
        load.stop()
        load.one_shots.update(cluster.one_shots)
        if leader := cluster.leader():
            leader.terminate()  # the next one repeats what waits for its repetition
        settle(cluster, steady, SETTLES_WITHIN)
        cluster.stop()
        judged = judge_all(cluster, first, load, steady)
        _look_back(judged.verdict, felt, memory)
        # Of a worker's run the term is its publisher's, who may be gone by the time it starts.
        judged.verdict.notes = []
        judged.verdict.figures.pop("bodies that started after a later term's", None)
        return Outcome(judged.verdict, judged.terms, judged.audited, now() - began, count, felt)
    finally:
        cluster.destroy()


def _strike_all(
    cluster: WorkersCluster,
    count: int,
    chance: random.Random,
    say: Callable[[str], None],
    only: str,
    memory: Memory,
) -> tuple[list[Felt], int]:
    kinds = [fault for fault in FAULTS if fault.exists_with(cluster.engine) and only in fault.name]
    deck: list[Fault] = []
    felt: list[Felt] = []
    struck_so_far = tries = 0
    while struck_so_far < count and tries < TOO_MANY_TRIES:
        deck = deck or chance.sample(kinds, len(kinds))
        fault = deck.pop()
        wall, term = time.time() - now(), current_term()
        struck = fault(cluster)
        tries += 1
        cluster.start_missing()
        if struck is not None:
            tries = 0
            struck_so_far += 1
            found = _feel(cluster, fault, struck, wall, term)
            felt += found
            measures = ", ".join(f"{each.measure} {each.seconds:.2f} s" for each in found)
            say(f"{struck_so_far:4} {fault.name}: {measures}")
            if struck.dropped:
                at = datetime.fromtimestamp(struck.at + wall, UTC)
                memory.dropped.append((fault.name, at, struck.dropped))
            memory.spared.update(struck.spared)
        time.sleep(chance.uniform(0.1, 1.0))
    return felt, struck_so_far


def _feel(
    cluster: WorkersCluster, fault: Fault, struck: Struck, wall: float, term: int
) -> list[Felt]:
    served = cluster.wait_for_starts(struck.at, RECOVERS_WITHIN, fault.name)
    felt = [Felt(fault.name, "a worker starts a body", served, struck.bound)]
    felt += [Felt(fault.name, *each) for each in struck.other]
    if struck.takeover is not None:
        moment = struck.at + wall
        taken = cluster.wait_for(lambda: taken_at(moment, term), RECOVERS_WITHIN, "a new term")
        gap = taken.timestamp() - moment
        felt.append(Felt(fault.name, "another scheduler leads", gap, struck.takeover))
    return felt


def _lose_messages(cluster: WorkersCluster) -> Felt:
    """Purge the queue once more, with no fault after it."""
    from scheduler.models import Execution

    newest = Execution.objects.latest("id").pk
    cluster.start_missing()
    struck = outages.purge(cluster)
    assert struck is not None
    lost = [id for id in struck.dropped if id > newest]
    cluster.wait_for(
        lambda: not Execution.objects.filter(id__in=lost, status="queued").exists(),
        SETTLES_WITHIN, "lost messages that are made up for",
    )  # fmt: skip
    return Felt("messages lost, no fault after it", MADE_UP_FOR, now() - struck.at, REPUBLISHED)


def _look_back(verdict: Verdict, felt: list[Felt], memory: Memory) -> None:
    """What only the ledger tells: when lost messages were made up for, and what a stop cost.

    A message that made up for one may be lost by a later fault, with the broker or in a worker that
    dies between its acknowledgement and its claim: without a bound.
    """
    from scheduler.models import Execution

    again: set[int] = set()
    for name, at, ids in reversed(memory.dropped):
        once = set(ids) - again  # one that is lost again waits again, for twice as long
        again.update(ids)
        rows = Execution.objects.filter(id__in=once, started_at__gt=at)
        last = max(rows.values_list("started_at", flat=True), default=at)
        gap = (last - at).total_seconds()
        felt.append(Felt(name, MADE_UP_FOR, gap, None))
    lost = Execution.objects.filter(id__in=memory.spared, status="lost")
    verdict.wrong("lost by an orderly stop", [f"execution {row.pk}: {row}" for row in lost])
