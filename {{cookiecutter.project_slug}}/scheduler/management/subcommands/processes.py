"""``status`` and ``resign``: the scheduler processes, and which of them leads."""

from __future__ import annotations

from argparse import ArgumentParser
from time import sleep
from typing import Any

from ...conf import conf
from ...db.clock import monotonic
from ...db.notify import announce
from ...formatting import duration
from ...models import Lease, Term
from ...monitoring import health
from ...monitoring.cluster import Process
from .arguments import seconds
from .output import cell, iso, table
from .subcommand import DONE, TIMEOUT, UNHEALTHY, Answer, Subcommand

POLL_INTERVAL = 0.02
"""Seconds between two looks for the next leader."""


def _add_status_arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--max-lag",
        type=seconds,
        help="seconds by which the oldest due run may be late "
        "(default: the setting APSCHEDULER_HEALTH_MAX_LAG)",
    )


def _status(options: dict[str, Any]) -> Answer:
    found = health.read(conf().DATABASE, options["max_lag"])
    processes = found.cluster.processes
    lease = found.cluster.lease
    data = found.as_dict() | {"paused_by": lease.paused_by or None}
    data |= {"nodes": [_process_data(process) for process in processes]}
    late = f", the oldest {duration(found.oldest_due)} late" if found.backlog else ""
    degraded = ", degraded" if found.warnings else ""
    lines = [f"OK{degraded}" if found.ok else f"NOT OK: {found.reason}"]
    lines += [f"Warning: {warning}" for warning in found.warnings]
    if lease.paused_at is not None:
        lines += [f"Paused since {cell(lease.paused_at)} by {cell(lease.paused_by)}."]
    lines += [f"Term {lease.term}; {found.backlog} due{late}."]
    if found.published or found.cluster.worker_processes:
        oldest = f", the oldest for {duration(found.oldest_published)}" if found.published else ""
        workers = len(found.cluster.worker_processes)
        lines += [f"{workers} worker process(es); {found.published} published{oldest}."]
    heads = ("ROLE", "HOST", "PID", "LAST HEARTBEAT", "WAKES BY", "ERROR")
    cells = [_process_cells(process) for process in processes]
    lines += table(heads, cells) if cells else ["No scheduler process."]
    return Answer(data, lines, DONE if found.ok else UNHEALTHY)


def _process_data(process: Process) -> dict[str, Any]:
    node = process.node
    return {
        "id": str(node.pk),
        "host": node.host,
        "pid": node.pid,
        "role": process.role,
        "leads": process.leads,
        "beat_at": iso(node.beat_at),
        "wake_mode": node.wake_mode,
        "renew_seconds": node.renew_seconds,
        "loop_lag_seconds": node.loop_lag_seconds,
        "wake_latency_seconds": node.wake_latency_seconds,
        "workers": node.workers,
        "busy_workers": node.busy_workers,
        "error": node.error,
        "publish_error": node.publish_error,
    }


def _process_cells(process: Process) -> tuple[Any, ...]:
    node = process.node
    role = "silent worker" if process.role == "silent" and node.is_worker else process.role
    error = node.error or node.publish_error
    return (role, node.host, node.pid, node.beat_at, node.wake_mode, error)


def _add_resign_arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--timeout",
        type=seconds,
        default=30.0,
        help="seconds to wait for the next leader (default: 30)",
    )


def _resign(options: dict[str, Any]) -> Answer:
    using = conf().DATABASE
    held = Lease._base_manager.using(using).filter(holder__isnull=False)
    asked = held.values_list("term", flat=True).first()
    if asked is None or not held.update(resign_requested=True):
        return Answer({"term": None}, ["There is no leader to ask."], UNHEALTHY)
    announce(using)
    end = monotonic() + options["timeout"]
    while (term := _first_term_after(asked, using)) is None:
        if monotonic() >= end:
            lines = [f"The leader of term {asked} was asked; no process has taken over yet."]
            return Answer({"term": asked}, lines, TIMEOUT)
        sleep(POLL_INTERVAL)
    data = {"term": term.term, "host": term.host, "pid": term.pid, "gap": term.gap,
            "acquired_at": iso(term.acquired_at)}  # fmt: skip
    gap = f"{term.gap:.3f} s" if term.gap is not None else "an unknown time"
    line = f"{term.host}:{term.pid} leads in term {term.term}, after {gap} without a leader."
    return Answer(data, [line], DONE)


STATUS = Subcommand(
    "status",
    "Show which process leads, which stand by, and whether all is well.",
    _add_status_arguments,
    _status,
)
RESIGN = Subcommand(
    "resign",
    "Drill: ask the leader to hand over, and show how long there was none. No run is lost.",
    _add_resign_arguments,
    _resign,
)


def _first_term_after(term: int, using: str) -> Term | None:
    return Term._base_manager.using(using).filter(term__gt=term).order_by("term").first()
