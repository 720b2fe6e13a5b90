"""``python -m bench.tasks``: the backends in turn; writes RESULTS.md and results.json."""

from __future__ import annotations

import argparse
import os
import platform
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version as package
from typing import Any

from bench import databases, sections
from bench.tasks import table
from bench.tasks.counting import counting
from bench.tasks.killed import KILLS, killed
from bench.tasks.project import Project, server
from bench.tasks.systems import SYSTEMS

ONE_BY_ONE, IN_ATOMIC, AT_ONCE = 3_000, 1_000, 10_000
SHORT, LONG = 2_000, 20_000
LONG_ROUNDS = 2
"""Of 20,000 tasks, which take the others a minute."""
COUNTED = 200


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.tasks", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="of each measurement, in turn")
    rounds = parser.parse_args().rounds
    projects = {name: Project(name) for name in SYSTEMS}
    machine = _machine()
    try:
        for project in projects.values():
            project.prepare()
        found = _measured(projects, rounds)
    finally:
        for project in projects.values():
            project.drop()
    found = {"machine": machine, "rounds": rounds, **found}
    sections.write_figures({"tasks": found})
    text = table.text(found)
    sections.write("tasks", text)
    print(text)


def _measured(projects: dict[str, Project], rounds: int) -> dict[str, Any]:
    """Each measurement of each system in turn: a machine that slows down does so for all."""
    found: dict[str, Any] = defaultdict(lambda: {name: [] for name in projects})
    ways: dict[str, Any] = {name: defaultdict(list) for name in projects}
    best: dict[str, str] = {}
    for number in range(rounds):
        for name, project in projects.items():
            for key, value in _enqueued(project).items():
                found[key][name].append(value)
                _say(number, name, key, value)
        for name, project in projects.items():
            for way in project.system.workers if number == 0 else [best[name]]:
                ways[name][way].append(project.drained(way, SHORT))
                _say(number, name, way, ways[name][way][-1])
            best[name] = max(ways[name], key=lambda way: ways[name][way][0])
    found["tasks_a_second_2000"] = {name: ways[name][best[name]] for name in projects}
    for number in range(min(rounds, LONG_ROUNDS)):
        for name, project in projects.items():
            found["tasks_a_second_20000"][name].append(project.drained(best[name], LONG))
            _say(number, name, f"{LONG} tasks", found["tasks_a_second_20000"][name][-1])
    counts = _counts(projects, best)
    return {**found, "ways": ways, "best": best, **counts}


def _enqueued(project: Project) -> dict[str, float]:
    found = {}
    with project.fresh():
        found["enqueues_a_second"] = project.measure("one_by_one", ONE_BY_ONE)["rate"]
        latency = project.measure("in_atomic", IN_ATOMIC)
        found["atomic_p50"], found["atomic_p99"] = latency["p50"], latency["p99"]
        found["bulk_enqueues_a_second"] = project.measure("at_once", AT_ONCE)["rate"]
    return found


def _statements(project: Project, way: str) -> dict[str, float]:
    """Differences between a longer and a shorter measurement: without what a start costs."""
    with project.fresh(), counting(*server()) as counter:

        def cost(measure: str, size: int) -> int:
            before = counter.statements
            project.measure(measure, size, port=counter.port)
            return counter.statements - before

        def each(measure: str) -> float:
            return (cost(measure, 2 * COUNTED) - cost(measure, COUNTED)) / COUNTED

        enqueue, in_atomic = each("one_by_one"), each("in_atomic") - len(("BEGIN", "SELECT", "END"))
        bulk = cost("at_once", AT_ONCE) - cost("at_once", 0)
    with project.fresh(), counting(*server()) as counter, project.working(way, counter.port):
        project.warm_up()
        before = counter.statements
        run = project.measure("drain", SHORT)["tasks"]
        run_cost = (counter.statements - before) / run
    return {
        "enqueue": enqueue, "enqueue_in_atomic": in_atomic, "bulk_enqueue": bulk, "run": run_cost
    }  # fmt: skip


def _counts(projects: dict[str, Project], best: dict[str, str]) -> dict[str, Any]:
    """Side by side: counted is what happens, not how long it takes."""

    def counted(name: str) -> tuple[dict[str, float], dict[str, int]]:
        project, way = projects[name], best[name]
        return _statements(project, way), {"kills": KILLS, **killed(project, way)}

    with ThreadPoolExecutor() as pool:
        both = dict(zip(projects, pool.map(counted, projects), strict=True))
    return {
        "statements": {name: statements for name, (statements, _) in both.items()},
        "killed": {name: counts for name, (_, counts) in both.items()},
    }


def _machine() -> str:
    names = ("django", "apscheduler", "django-ox", "django-tasks-db", "psycopg")
    versions = ", ".join(f"{name} {package(name)}" for name in names)
    return (
        f"`make bench-tasks` at commit {sections.commit()}; {os.cpu_count()} cores, load "
        f"{os.getloadavg()[0]:.1f}; Python {platform.python_version()}; PostgreSQL "
        f"{databases.version(databases.POSTGRESQL)}; {versions}."
    )


def _say(number: int, name: str, what: str, value: float) -> None:
    print(f"{number + 1}: {name}, {what}: {value:.6g}", flush=True)


if __name__ == "__main__":
    main()
