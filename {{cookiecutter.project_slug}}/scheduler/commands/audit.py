from __future__ import annotations

from argparse import ArgumentParser
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone
from django.utils.dateparse import parse_datetime

from ..conf import conf
from ..engine.audit import Report, audit
from ..engine.clock import db_now
from . import rows
from .answer import DONE, FAILED, Answer, table

NAME = "audit"
HELP = (
    "Recompute from the recorded definitions which slots were owed, and compare with the ledger. "
    "Exit code 1: a slot is unexplained."
)


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--hours", type=float, default=24.0, help="how far back (24)")
    parser.add_argument("--since", type=_moment, help="or from this moment on, such as 2031-05-01")
    parser.add_argument("--until", type=_moment, help="up to this moment (now)")
    parser.add_argument("--limit", type=int, default=50, help="most findings to print (50)")


def run(options: dict[str, Any]) -> Answer:
    using = conf().DATABASE
    since = options["since"] or db_now(using) - timedelta(hours=options["hours"])
    report = audit(using, since, options["until"])
    return Answer(_data(report), _lines(report, options["limit"]), _code(report))


def _code(report: Report) -> int:
    return FAILED if report.findings else DONE


def _data(report: Report) -> dict[str, Any]:
    return {
        "since": rows.time(report.since),
        "until": rows.time(report.until),
        "jobs": report.jobs,
        "owed": report.owed,
        "dropped_by_changes": report.dropped,
        "outcomes": dict(report.outcomes),
        "unexplained": [
            {"job_id": f.job_id, "slot": rows.time(f.slot), "what": f.what} for f in report.findings
        ],
        "notes": report.notes,
    }


def _lines(report: Report, limit: int) -> list[str]:
    outcomes = ", ".join(f"{count} {status}" for status, count in sorted(report.outcomes.items()))
    lines = [
        f"{report.jobs} jobs owed {report.owed} slots: {outcomes or 'none in the ledger'}.",
        f"{report.dropped} due slots were dropped by changes of their jobs.",
        f"{len(report.findings)} slots are unexplained.",
    ]
    if found := report.findings[:limit]:
        lines += table(("JOB", "SLOT", "WHAT"), [(f.job_id, f.slot, f.what) for f in found])
    if len(report.findings) > limit:
        lines.append(f"... and {len(report.findings) - limit} more (--limit)")
    return lines + [f"Note: {note}" for note in report.notes]


def _moment(text: str) -> datetime:
    found = parse_datetime(text) or parse_datetime(f"{text} 00:00")
    if found is None:
        raise ValueError(f"{text!r} is no date and no time")
    return found if found.tzinfo else timezone.make_aware(found)
