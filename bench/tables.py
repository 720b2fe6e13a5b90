"""The section of RESULTS.md, from what results.json holds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bench import wanted
from bench.databases import LABELS
from bench.systems import DJANGO, OURS, SQLALCHEMY
from bench.systems import LABELS as SYSTEMS

LAGS = {
    "start_lag": "",
    "start_lag_of_the_others": "",
    "start_lag_over_1_ms": ", 1 ms away",
    "start_lag_under_an_old_snapshot": ", under an old snapshot",
}
"""Sections of start lags, and what each says beside the database."""
WITHOUT = ", no snapshot"


def text(found: dict[str, Any]) -> str:
    """Return the section in Markdown. A measure that was left out has no lines."""
    parts = (_rates, _waves, _lags, _stored, _idle, _adding, _many, _retention, _memory, _origins)
    lines = ["### Before, wanted, measured", "", *wanted.table(found), ""]
    return "\n".join([*lines, *(line for part in parts for line in part(found))]).rstrip()


def _origins(found: dict[str, Any]) -> Iterator[str]:
    """Say of each section where it comes from: they may be measured one by one."""
    measured = found.get("measured", {})
    yield "### Where the figures come from"
    yield ""
    for machine in dict.fromkeys(about["machine"] for about in measured.values()):
        yield f"{machine}:"
        yield ""
        yield "| section | commit | UTC | load before | seconds |"
        yield "|---|---|---|---|---|"
        for key, about in measured.items():
            if about["machine"] == machine:
                shown = (key, *(about[name] for name in ("commit", "at", "load", "seconds")))
                yield f"| {' | '.join(map(str, shown))} |"
        yield ""


def _rates(found: dict[str, Any]) -> Iterator[str]:
    if "executions_a_second" not in found:
        return
    yield "### Executions a second"
    yield ""
    yield (
        "500 jobs due at one moment, until the history shows every run; median, and the least and "
        "the most of all waves, the systems in turn. SQLAlchemyJobStore keeps no history: there "
        "the clock stops at its last event. The floor is the bare driver, which writes the same "
        "rows in batches of 50."
    )
    yield ""
    yield "![Executions a second](../docs/bench/executions.svg)"
    yield ""
    yield "| database | system | a second | from | to | ours is | history complete | errors |"
    yield "|---|---|---|---|---|---|---|---|"
    for kind, systems in found["executions_a_second"].items():
        yield from _rate_rows(LABELS[kind], systems)
        floor = found.get("floor", {}).get(kind, {}).get(OURS, {}).get("plain")
        if floor:
            ratio = f"{systems[OURS]['plain']['median'] / floor['median']:.2f} of it"
            yield f"| {LABELS[kind]} | the floor | {_span(floor)} | {ratio} | | |"
    for kind, systems in found.get("executions_a_second_over_1_ms", {}).items():
        yield from _rate_rows(f"{LABELS[kind]}, 1 ms away", systems)
    yield ""


def _rate_rows(where: str, systems: dict[str, Any]) -> Iterator[str]:
    ours = systems[OURS]["plain"]["median"]
    for name, cases in systems.items():
        row = cases["plain"]
        compared = ours and row["median"] and name in (DJANGO, SQLALCHEMY)
        ratio = f"{ours / row['median']:.1f} times" if compared else ""
        complete = "none kept" if name == SQLALCHEMY else ("yes" if row["complete"] else "no")
        errors = "; ".join(row["errors"])
        yield f"| {where} | {SYSTEMS[name]} | {_span(row)} | {ratio} | {complete} | {errors} |"


def _waves(found: dict[str, Any]) -> Iterator[str]:
    if "waves_of_5000" not in found:
        return
    yield "5,000 due at one moment:"
    yield ""
    yield "| database | a second | from | to | of the rate with 500 |"
    yield "|---|---|---|---|---|"
    for kind, systems in found["waves_of_5000"].items():
        row = systems[OURS]["plain"]
        with_500 = found.get("executions_a_second", {}).get(kind)
        rate = with_500 and with_500[OURS]["plain"]["median"]
        part = f"{row['median'] / rate:.2f}" if row["median"] and rate else ""
        yield f"| {LABELS[kind]} | {_span(row)} | {part} |"
    yield ""


def _lags(found: dict[str, Any]) -> Iterator[str]:
    if found.keys().isdisjoint(LAGS):
        return
    yield "### Start lag"
    yield ""
    yield (
        "200 jobs a second for 10 s; from the slot to the body, in ms. Without a trace: slots of "
        "which the history says nothing. The old snapshot: 150,000 runs have waited, run and ended "
        "since another transaction began to read, which leaves 300,000 dead row versions."
    )
    yield ""
    yield "| database | system | owed | ran | without a trace | p50 | p99 | max |"
    yield "|---|---|---|---|---|---|---|---|"
    for key, where in LAGS.items():
        for kind, systems in found.get(key, {}).items():
            for name, cases in systems.items():
                for label, row in cases.items():
                    of = WITHOUT if label == "ended=0" else where
                    yield f"| {LABELS[kind]}{of} | {SYSTEMS[name]} | {_lag(row)} |"
    yield ""


def _stored(found: dict[str, Any]) -> Iterator[str]:
    if "start_lag_beside_stored_jobs" not in found:
        return
    yield "Beside other jobs that are stored and not due, on PostgreSQL:"
    yield ""
    yield "![Start lag beside stored jobs](../docs/bench/stored.svg)"
    yield ""
    yield "| stored | owed | ran | without a trace | p50 | p99 | max | rows read idle | memory |"
    yield "|---|---|---|---|---|---|---|---|---|"
    for systems in found["start_lag_beside_stored_jobs"].values():
        for label, row in systems[OURS].items():
            read = f"{row['idle']['rows_read_a_second']:.0f} a second"
            stored = int(label.partition("=")[2])
            yield f"| {stored:,} | {_lag(row)} | {read} | {row['memory']:.0f} MB |"
    yield ""


def _idle(found: dict[str, Any]) -> Iterator[str]:
    if "idle" not in found:
        return
    yield "### Nothing to do"
    yield ""
    yield "| database | percent of a core | transactions a second | rows read | connections |"
    yield "|---|---|---|---|---|"
    for kind, systems in found.get("idle", {}).items():
        row = systems[OURS]["plain"]
        rest = [row.get(f"{name}_a_second") for name in ("transactions", "rows_read")]
        shown = " | ".join("" if count is None else f"{count:.0f}" for count in rest)
        connections = row.get("connections", "")
        yield f"| {LABELS[kind]} | {row['processor_percent']:.1f} | {shown} | {connections} |"
    yield ""


def _adding(found: dict[str, Any]) -> Iterator[str]:
    if "jobs_added_a_second" not in found:
        return
    yield "### Jobs added a second"
    yield ""
    yield "| database | `add_job` | `add_job` in one transaction | `add_jobs` |"
    yield "|---|---|---|---|"
    for kind, systems in found.get("jobs_added_a_second", {}).items():
        row = systems[OURS]["plain"]
        rates = (row[name] for name in ("alone", "in_one_transaction", "add_jobs"))
        yield f"| {LABELS[kind]} | {' | '.join(f'{rate:,.0f}' for rate in rates)} |"
    yield ""


def _many(found: dict[str, Any]) -> Iterator[str]:
    for kind, systems in found.get("many_jobs", {}).items():
        row = systems[OURS]["plain"]
        yield "### Very many jobs"
        yield ""
        yield (
            f"{row['jobs']:,} jobs on {LABELS[kind]}: all are added by `add_jobs`, 10,000 at a time"
            ", a thousand are paused and resumed one by one, all are removed by `remove_all_jobs`. "
            f"The process held {row['before']:.0f} MB before."
        )
        yield ""
        yield "| | jobs a second | statements | most memory until then |"
        yield "|---|---|---|---|"
        for name in ("added", "paused", "resumed", "removed"):
            step = row[name]
            shown = f"{step['a_second']:,.0f} | {step['statements']:,} | {step['memory']:.0f} MB"
            yield f"| {name} | {shown} |"
        yield ""


def _retention(found: dict[str, Any]) -> Iterator[str]:
    for kind, systems in found.get("retention", {}).items():
        row = systems[OURS]["plain"]
        yield "### Retention"
        yield ""
        yield (
            f"200 jobs a second on {LABELS[kind]} while runs that are too old are deleted: "
            f"{row['deleted']:,} of them, {row['deleted_a_second'] or 0:,.0f} a second; the "
            f"process held at most {row['memory']:.0f} MB."
        )
        yield ""
        yield "| owed | ran | without a trace | p50 | p99 | max |"
        yield "|---|---|---|---|---|---|"
        yield f"| {_lag(row)} |"
        yield ""


def _memory(found: dict[str, Any]) -> Iterator[str]:
    for kind, systems in found.get("memory", {}).items():
        row = systems[OURS]["plain"]
        yield "### Memory of the scheduler's process"
        yield ""
        yield f"After so many executions in waves of 5,000, on {LABELS[kind]}:"
        yield ""
        yield "![Memory over executions](../docs/bench/memory.svg)"
        yield ""
        yield "| executions | MB |"
        yield "|---|---|"
        for runs, megabytes in row["readings"]:
            yield f"| {runs:,} | {megabytes:.0f} |"
        yield ""


def _span(row: dict[str, Any]) -> str:
    rates = (row["median"], row["least"], row["most"])
    return " | ".join(f"{rate:.0f}" if rate else "none" for rate in rates)


def _lag(row: dict[str, Any]) -> str:
    times = (row[name] for name in ("p50", "p99", "max"))
    shown = " | ".join("none" if time is None else f"{time * 1000:.0f}" for time in times)
    return f"{row['owed']} | {row['ran']} | {row['untold']} | {shown}"
