"""What was measured before, what is wanted, and what is measured now: the table of the judge.

The left column was measured on a quiet machine at commit 40ab43b. Where two machines are compared,
only ratios within one run say something.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from bench.databases import LABELS, MARIADB, POSTGRESQL, SQLITE
from bench.systems import DJANGO, OURS, SQLALCHEMY

Found = dict[str, Any]


@dataclass(frozen=True)
class Row:
    """One line: ``read`` takes the figure from what was found, None if it is not there."""

    what: str
    before: str
    wanted: str
    read: Callable[[Found], float | None]
    form: str
    compare: Callable[[float, float], bool] = operator.ge
    bound: float | None = None
    """Beyond it, the line is reached; None: only to be published."""


def table(found: Found) -> Iterator[str]:
    """Yield the lines. What no section has measured yet is marked so."""
    yield "| | before | wanted | measured | reached |"
    yield "|---|---|---|---|---|"
    for row in ROWS:
        measured = row.read(found)
        if measured is None:
            shown, reached = "not yet", ""
        else:
            shown = row.form.format(measured)
            is_reached = row.bound is not None and row.compare(measured, row.bound)
            reached = "" if row.bound is None else ("yes" if is_reached else "**no**")
        yield f"| {row.what} | {row.before} | {row.wanted} | {shown} | {reached} |"


def _at(found: Any, *keys: str) -> float | None:
    for key in keys:
        if not isinstance(found, dict) or key not in found:
            return None
        found = found[key]
    return None if found is None else float(found)


def _rate(found: Found, key: str, kind: str, system: str = OURS) -> float | None:
    return _at(found, key, kind, system, "plain", "median")


def _over(above: float | None, below: float | None) -> float | None:
    return above / below if above and below else None


def _times(kind: str, system: str, key: str = "executions_a_second") -> Callable[[Found], Any]:
    return lambda found: _over(_rate(found, key, kind), _rate(found, key, kind, system))


def _of_floor(kind: str) -> Callable[[Found], Any]:
    key = "executions_a_second"
    return lambda found: _over(_rate(found, key, kind), _rate(found, "floor", kind))


def _of_500(kind: str) -> Callable[[Found], Any]:
    key = "executions_a_second"
    return lambda found: _over(_rate(found, "waves_of_5000", kind), _rate(found, key, kind))


def _ms(key: str, name: str, case: str = "plain", kind: str = POSTGRESQL) -> Callable[[Found], Any]:
    def read(found: Found) -> float | None:
        seconds = _at(found, key, kind, OURS, case, name)
        return None if seconds is None else seconds * 1000

    return read


def _figure(key: str, *names: str, kind: str = POSTGRESQL) -> Callable[[Found], Any]:
    return lambda found: _at(found, key, kind, OURS, *names)


FAST, AWAY = "executions_a_second", "executions_a_second_over_1_ms"
BESIDE = "start_lag_beside_stored_jobs"
ROWS: tuple[Row, ...] = (
    Row("executions a second, 500 due, PostgreSQL, to django-apscheduler", "10.0 times",
        "15 times", _times(POSTGRESQL, DJANGO), "{:.1f} times", bound=15),
    Row("the same, SQLite", "11.2 times", "15 times", _times(SQLITE, DJANGO), "{:.1f} times",
        bound=15),
    Row("the same, MariaDB", "not measured", "published", _times(MARIADB, DJANGO),
        "{:.1f} times"),
    *(Row(f"to SQLAlchemyJobStore, which keeps no history, {LABELS[kind]}", before, "published",
          _times(kind, SQLALCHEMY), "{:.1f} times")
      for kind, before in
      ((POSTGRESQL, "3.2 times"), (SQLITE, "1.9 times"), (MARIADB, "not measured"))),
    *(Row(f"to the floor, {LABELS[kind]}", before, "0.50", _of_floor(kind), "{:.2f}", bound=0.5)
      for kind, before in
      ((POSTGRESQL, "0.34"), (SQLITE, "not measured"), (MARIADB, "not measured"))),
    Row("5,000 due at once, PostgreSQL, to the rate with 500", "0.71", "1.00",
        _of_500(POSTGRESQL), "{:.2f}", bound=1.0),
    Row("executions a second, PostgreSQL 1 ms away, to django-apscheduler", "17 times",
        "34 times", _times(POSTGRESQL, DJANGO, AWAY), "{:.1f} times", bound=34),
    Row("start lag, 200 jobs a second, PostgreSQL 1 ms away, p50", "30 ms", "published",
        _ms("start_lag_over_1_ms", "p50"), "{:.1f} ms"),
    Row("the same, p99", "166 ms", "< 50 ms", _ms("start_lag_over_1_ms", "p99"), "{:.1f} ms",
        operator.lt, 50),
    *(Row(f"start lag p99 beside {stored:,} other jobs, PostgreSQL", before, f"{wanted} ms",
          _ms(BESIDE, "p99", f"stored={stored}"), "{:.1f} ms", operator.le, wanted)
      for stored, before, wanted in
      ((1_000, "4 ms", 4), (100_000, "27 ms", 5), (1_000_000, "881 ms", 6))),
    Row("rows read a second by an idle leader, 1,000,000 jobs", "1,000,000", "< 100",
        _figure(BESIDE, "stored=1000000", "idle", "rows_read_a_second"), "{:,.0f}", operator.lt,
        100),
    Row("start lag with 300,000 dead row versions, PostgreSQL, p50", "17 ms", "< 5 ms",
        _ms("start_lag_under_an_old_snapshot", "p50", "ended=150000"), "{:.1f} ms", operator.lt,
        5),
    Row("`add_job` a second, one transaction each, PostgreSQL", "740", "published",
        _figure("jobs_added_a_second", "plain", "alone"), "{:,.0f}"),
    Row("`add_job` a second in one transaction, PostgreSQL", "850", "3,000",
        _figure("jobs_added_a_second", "plain", "in_one_transaction"), "{:,.0f}", bound=3_000),
    Row("`add_jobs` a second, PostgreSQL", "not measured", "20,000",
        _figure("jobs_added_a_second", "plain", "add_jobs"), "{:,.0f}", bound=20_000),
    Row("executions a second, 500 due, MariaDB", "4,250", "published",
        lambda found: _rate(found, FAST, MARIADB), "{:,.0f}"),
)  # fmt: skip
