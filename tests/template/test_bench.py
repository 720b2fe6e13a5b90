"""The measurements start: what they import from the template is still there."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest

import bench.__main__
from bench import databases, sections, surroundings, tables, wanted
from bench.plans import PLANS, chosen
from tests.combinations import ROOT

MODULES = (
    "bench.__main__, bench.notice, bench.orm, bench.systems.ours, bench.measures.lag, "
    "bench.measures.floor, bench.measures.idle, bench.measures.adding, bench.measures.many, "
    "bench.measures.memory, bench.measures.retention, bench.measures.throughput"
)
RATE = {"median": 5.0, "least": 4.0, "most": 6.0, "complete": True, "errors": []}
LAG = {"owed": 9, "ran": 9, "untold": 0, "p50": 0.001, "p99": 0.002, "max": None}
STEP = {"a_second": 3.0, "statements": 4, "memory": 60.0}
FOUND: dict[str, dict[str, Any]] = {
    "throughput": RATE,
    "floor": RATE,
    "lag": {**LAG, "idle": {"rows_read_a_second": 7.0}, "memory": 60.0},
    "idle": {"processor_percent": 1.0},
    "adding": {"alone": 1.0, "in_one_transaction": 2.0, "add_jobs": 3.0},
    "many": {"jobs": 9, "before": 50.0}
    | dict.fromkeys(("added", "paused", "resumed", "removed"), STEP),
    "retention": {**LAG, "deleted": 9, "deleted_a_second": None, "memory": 60.0},
    "memory": {"readings": [[10, 60.0], [20, 61.0]], "peak": 61.0},
}
ABOUT = {"commit": "abc", "machine": "a machine", "at": "2026-01-01 00:00", "load": 0.1,
         "seconds": 9}  # fmt: skip


def test_the_modules_of_the_bench_find_what_they_measure(tmp_path):
    environment = {
        **os.environ,
        "BENCH_APPS": "scheduler",
        "BENCH_DATABASE_URL": f"sqlite:///{tmp_path}/db.sqlite3",
        "BENCH_STOCK_SQLITE": "1",
        "DJANGO_SETTINGS_MODULE": "bench.settings",
    }
    code = f"import django; django.setup(); import {MODULES}; import scheduler.db.prepared as p; "
    code += "p.PreparedQuery, p.Param"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def _found(kinds: tuple[str, ...]) -> dict[str, Any]:
    found: dict[str, Any] = {"measured": {plan.key: ABOUT for plan in PLANS}}
    for plan in PLANS:
        cases = [" ".join(f"{what}={n}" for what, n in case.items()) for case in plan.cases]
        found[plan.key] = {
            kind: {
                name: {label or "plain": FOUND[plan.measure] for label in cases}
                for name in plan.systems
            }
            for kind in plan.databases
            if kind in kinds
        }
    return found


@pytest.mark.parametrize("kinds", [databases.MEASURED, (databases.SQLITE, databases.POSTGRESQL)])
def test_each_database_that_was_measured_is_in_each_table(kinds):
    parts = tables.text(_found(kinds)).split("### ")[1:]
    by_title = {part.partition("\n")[0]: part for part in parts}
    for title in ("Executions a second", "Start lag", "Nothing to do", "Jobs added a second"):
        assert all(databases.LABELS[kind] in by_title[title] for kind in kinds)
    assert "not yet" not in by_title["Before, wanted, measured"] or len(kinds) < 3


def test_each_line_of_what_is_wanted_says_whether_it_is_reached():
    lines = [line.split(" | ") for line in wanted.table(_found(databases.MEASURED))][2:]
    assert len(lines) == len(wanted.ROWS)
    reached = {line[0].removeprefix("| "): line[-1].removesuffix(" |") for line in lines}
    assert reached["to the floor, SQLite (WAL)"] == "yes"
    assert reached["start lag p99 beside 1,000 other jobs, PostgreSQL"] == "yes"
    assert reached["`add_jobs` a second, PostgreSQL"] == "**no**"
    assert not reached["executions a second, 500 due, MariaDB"]


@pytest.mark.parametrize("key", [plan.key for plan in PLANS])
def test_one_section_alone_makes_a_text(key):
    found = _found(databases.MEASURED)
    alone = {key: found[key], "measured": {key: ABOUT}}
    assert f"| {key} | abc |" in tables.text(alone)


def test_the_sections_of_the_whole_are_chosen_or_those_that_are_named():
    assert [plan.key for plan in chosen(["memory", "idle"], long=False)] == ["memory", "idle"]
    assert len(chosen([], long=True)) == len(PLANS)
    assert not any(plan.is_long for plan in chosen([], long=False))
    with pytest.raises(ValueError, match="no section idel; there are executions_a_second"):
        chosen(["idel"], long=False)


@pytest.fixture
def written(tmp_path, monkeypatch):
    """The files of the measurements, in a folder of the test; no server answers, none is drawn."""
    monkeypatch.setattr(sections, "RESULTS", tmp_path / "RESULTS.md")
    monkeypatch.setattr(sections, "FIGURES", tmp_path / "results.json")
    monkeypatch.setattr(sections, "commit", lambda: "abc")
    monkeypatch.setattr(bench.__main__, "_machine", lambda versions: "a machine")
    monkeypatch.setattr(bench.__main__.plots, "draw", lambda found: None)
    monkeypatch.setattr(surroundings, "version_or_none", lambda kind: "1")
    return tmp_path


def _main(monkeypatch, *words: str) -> int:
    monkeypatch.setattr(sys, "argv", ["bench", *words])
    with pytest.raises(SystemExit) as ended:
        bench.__main__.main()
    return int(ended.value.code or 0)


def test_a_section_that_breaks_leaves_the_others_and_what_was_measured_before(
    written, monkeypatch, capsys
):
    figures = written / "results.json"
    figures.write_text(json.dumps({"tasks": 1, "measured": {"floor": ABOUT}}))
    asked: list[str] = []

    def in_child(system: str, kind: str, measure: str, *_: Any) -> dict[str, Any]:
        asked.append(measure)
        if measure == "idle":
            raise RuntimeError("no such table")
        return FOUND[measure]

    monkeypatch.setattr(bench.__main__, "in_child", in_child)
    assert _main(monkeypatch, "idle", "jobs_added_a_second") == 1
    assert asked == ["idle", "adding", "adding", "adding"]
    found = json.loads(figures.read_text())
    assert found["tasks"] == 1
    assert found["measured"].keys() == {"floor", "jobs_added_a_second"}
    assert "add_jobs" in (written / "RESULTS.md").read_text()
    assert "broken: idle" in capsys.readouterr().out
    assert _main(monkeypatch, "jobs_added_a_second", "--resume") == 0
    assert len(asked) == 4, "measured again at the same commit"


def test_a_trial_writes_no_file(written, monkeypatch):
    sizes: list[dict[str, Any]] = []

    def in_child(system: str, kind: str, measure: str, size: dict[str, Any], *_: Any) -> Any:
        sizes.append(size)
        return FOUND[measure]

    monkeypatch.setattr(bench.__main__, "in_child", in_child)
    assert _main(monkeypatch, "jobs_added_a_second", "--try") == 0
    assert not list(written.iterdir())
    assert all(size["many"] < 1000 for size in sizes)


def test_a_server_that_does_not_answer_is_left_out_in_a_line(monkeypatch, capsys):
    monkeypatch.setattr(databases, "MYSQL_URL", "mysql://root@127.0.0.1:1/mysql")
    assert surroundings.version_or_none(databases.MARIADB) is None
    said = capsys.readouterr().out
    assert said.count("\n") == 1
    assert said.startswith("Left out: MariaDB")
