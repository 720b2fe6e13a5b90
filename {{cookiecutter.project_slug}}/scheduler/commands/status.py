from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from .. import health
from ..admin.times import duration
from ..conf import conf
from ..models import Lease, Node
from ..models.node import Role
from . import rows
from .answer import DONE, NOBODY, Answer, table

NAME = "status"
HELP = "Say who leads, who stands by, and whether all is well."


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--max-lag", type=float, help="seconds by which the oldest due run may be late"
    )


def run(options: dict[str, Any]) -> Answer:
    using = conf().DATABASE
    read = health.read(using, options["max_lag"])
    lease = Lease.objects.using(using).first()
    nodes = list(Node.objects.using(using).exclude(role=Role.STOPPED))
    data = read.as_dict() | {
        "nodes": [
            {
                "id": str(node.pk),
                "host": node.host,
                "pid": node.pid,
                "role": str(node.role),
                "leads": lease is not None and lease.holder == node.pk,
                "beat_at": rows.time(node.beat_at),
                "wake_mode": node.wake_mode,
                "renew_seconds": node.renew_seconds,
                "loop_lag_seconds": node.loop_lag_seconds,
                "wake_latency_seconds": node.wake_latency_seconds,
                "error": node.error,
            }
            for node in nodes
        ]
    }
    reason = read.reason[:1].upper() + read.reason[1:].rstrip(". ")
    lines = ["Well." if read.ok else f"Not well. {reason}."]
    lines += [f"Warning: {warning}" for warning in read.warnings]
    late = f", the oldest {duration(read.oldest_due)} late" if read.backlog else ""
    lines += [f"Term {read.term}; {read.backlog} due{late}."]
    heads = ("ROLE", "HOST", "PID", "LAST SIGN", "WAKES BY", "ERROR")
    seen = [(n.role, n.host, n.pid, n.beat_at, n.wake_mode, n.error) for n in nodes]
    lines += table(heads, seen) if seen else ["No scheduler process."]
    return Answer(data, lines, DONE if read.ok else NOBODY)
