"""``audit``: compare the ledger with the schedules."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from ...conf import conf
from ...db.clock import db_now
from ...monitoring.audit import AuditReport, audit
from .arguments import count, hours, moment
from .output import iso, table
from .subcommand import DONE, FAILED, Answer, Subcommand


def _add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--hours", type=hours, default=24.0, help="how far back (default: 24)")
    parser.add_argument(
        "--since", type=moment, help="start of the period instead, such as 2031-05-01"
    )
    parser.add_argument("--until", type=moment, help="end of the period (default: now)")
    parser.add_argument(
        "--limit", type=count, default=50, help="how many findings to print (default: 50)"
    )


def _audit(options: dict[str, Any]) -> Answer:
    using = conf().DATABASE
    since = options["since"] or db_now(using) - timedelta(hours=options["hours"])
    report = audit(using, since, options["until"])
    return Answer(_data(report), _lines(report, options["limit"]), _code(report))


AUDIT = Subcommand(
    "audit",
    "Recompute from the recorded definitions which runs were due, and compare with the history. "
    "Exit code 1: a run is unexplained.",
    _add_arguments,
    _audit,
)


def _code(report: AuditReport) -> int:
    return FAILED if report.findings else DONE


def _data(report: AuditReport) -> dict[str, Any]:
    return {
        "since": iso(report.since),
        "until": iso(report.until),
        "jobs": report.jobs,
        "owed": report.owed,
        "dropped_by_changes": report.dropped,
        "outcomes": dict(report.outcomes),
        "unexplained": [
            {"job_id": f.job_id, "slot": iso(f.slot), "what": f.what} for f in report.findings
        ],
        "notes": report.notes,
    }


def _lines(report: AuditReport, limit: int) -> list[str]:
    outcomes = ", ".join(f"{count} {status}" for status, count in sorted(report.outcomes.items()))
    lines = [
        f"{report.jobs} jobs had {report.owed} scheduled runs: {outcomes or 'none recorded'}.",
        f"{report.dropped} due runs were dropped by changes to their jobs.",
        f"{len(report.findings)} runs are unexplained.",
    ]
    if found := report.findings[:limit]:
        lines += table(("JOB", "SCHEDULED", "FINDING"), [(f.job_id, f.slot, f.what) for f in found])
    if len(report.findings) > limit:
        lines.append(f"... and {len(report.findings) - limit} more (--limit)")
    return lines + [f"Note: {note}" for note in report.notes]
