"""``python -m bench.workers``: no-op executions a second on workers, beside their engines alone.

All of them are enqueued first, then 1, 2 and 4 worker processes start. The clock runs from the
first body to the last one, so that neither the start of a process nor the enqueueing counts. The
database is PostgreSQL; Redis is one of its own, which keeps nothing.
"""

from __future__ import annotations

import argparse
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from bench import databases, sections
from bench.process import Beside
from bench.workers import stamps

PATIENCE = 120.0
"""Seconds within which the next body must run."""
ENQUEUE = {
    "celery": "from bench.workers.celery_app import alone\nfor _ in range(N): alone.delay()",
    "django-tasks": "from bench.workers.tasks import alone\nfor _ in range(N): alone.enqueue()",
    "ours": (
        "from bench.workers.tasks import ours\nfrom django_tasks import task_backends\n"
        "task_backends['default'].enqueue_many(ours, [((), {})] * N)"
    ),
}
LEFT = (
    "from scheduler.models import Execution\n"
    "print(Execution.objects.exclude(status='succeeded').count())"
)


@dataclass(frozen=True)
class Engine:
    """What carries the messages, and whether the scheduler publishes them."""

    label: str
    carrier: str
    """``celery`` or ``django-tasks``."""
    is_ours: bool


ENGINES = (
    Engine("this template, Celery workers", "celery", True),
    Engine("Celery alone", "celery", False),
    Engine("this template, django-tasks-db workers", "django-tasks", True),
    Engine("django-tasks-db alone", "django-tasks", False),
)


def main() -> None:
    """Measure each engine with each number of workers, and write the section of RESULTS.md."""
    parser = argparse.ArgumentParser(prog="python -m bench.workers", description=__doc__)
    parser.add_argument("--executions", type=int, default=10_000, help="of each measurement")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2, 4], help="processes")
    parser.add_argument("--only", default="", help="engines whose name holds this")
    parser.add_argument("--rounds", type=int, default=3, help="the median of which is shown")
    parser.add_argument("--print-only", action="store_true", help="leave RESULTS.md as it is")
    options = parser.parse_args()
    chosen = [engine for engine in ENGINES if options.only in engine.label]
    rates: dict[tuple[str, int], list[float]] = {}
    with redis() as broker:
        for number in range(options.rounds):
            for engine in chosen:
                for count in options.workers:
                    rate = measure(engine, options.executions, count, broker)
                    rates.setdefault((engine.label, count), []).append(rate)
                    print(f"{number + 1}: {engine.label}, {count}: {rate:.0f}/s", flush=True)
    text = table(rates, options.executions, options.workers)
    print(text)
    if not options.print_only:
        sections.write("workers", text)


def measure(engine: Engine, executions: int, workers: int, broker: str) -> float:
    """Return the bodies a second.

    Raises:
        RuntimeError: not every execution ran exactly once, or one is not recorded as succeeded.
    """
    with ExitStack() as stack:
        variables = stack.enter_context(databases.fresh(databases.POSTGRESQL))
        file = Path(stack.enter_context(TemporaryDirectory())) / "stamps"
        chosen = {"BENCH_WORKERS": engine.carrier} if engine.is_ours else {}
        variables |= {"BENCH_STAMPS": str(file), "BENCH_BROKER_URL": broker, **chosen}
        beside = Beside("scheduler django_tasks django_tasks_db bench.workers", variables)
        beside.run("django", "migrate", "-v0")
        key = "ours" if engine.is_ours else engine.carrier
        beside.run("django", "shell", "-v0", "-c", ENQUEUE[key].replace("N", str(executions)))
        if engine.is_ours:
            stack.enter_context(beside.running("django", "runapscheduler"))
        for words in commands(engine, workers):
            stack.enter_context(beside.running(*words))
        moments = wait_for(file, executions)
        if engine.is_ours:
            wait_for_ledger(beside)
    if len(moments) != executions:
        raise RuntimeError(f"{engine.label}: {len(moments)} bodies for {executions} executions")
    return (executions - 1) / (moments[-1] - moments[0])


def commands(engine: Engine, workers: int) -> Iterator[tuple[str, ...]]:
    """Yield the words of each process to start: Celery's parent starts its processes itself."""
    queue = "scheduler" if engine.is_ours or engine.carrier == "django-tasks" else "celery"
    if engine.carrier == "celery":
        yield ("celery", "-A", "bench.workers.celery_app", "worker", "--queues", queue,
               "--concurrency", str(workers))  # fmt: skip
        return
    for _ in range(workers):
        yield "django", "db_worker", "--queue-name", queue, "--backend", "workers"


def wait_for(file: Path, executions: int) -> list[float]:
    """Return the moments of all bodies, once there are as many as executions."""
    count, end = 0, time.monotonic() + PATIENCE
    while (found := len(stamps.read(file))) < executions:
        if found > count:
            count, end = found, time.monotonic() + PATIENCE
        if time.monotonic() > end:
            raise RuntimeError(f"{found} of {executions} ran, and no other for {PATIENCE:g} s")
        time.sleep(0.2)
    time.sleep(1)  # for a body that would run a second time
    return stamps.read(file)


def wait_for_ledger(beside: Beside) -> None:
    """Return once every execution is recorded as succeeded."""
    end = time.monotonic() + 60
    while (left := beside.run("django", "shell", "-v0", "-c", LEFT).strip()) != "0":
        if time.monotonic() > end:
            raise RuntimeError(f"{left} executions are not recorded as succeeded")


@contextmanager
def redis() -> Iterator[str]:
    """Start a Redis that keeps nothing, and yield its URL."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    words = ("redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "")
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL)
    try:
        for _ in range(250):
            with socket.socket() as client:
                if not client.connect_ex(("127.0.0.1", port)):
                    break
            time.sleep(0.02)
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        process.kill()
        process.wait()


def table(rates: dict[tuple[str, int], list[float]], executions: int, workers: list[int]) -> str:
    """Return the section of RESULTS.md."""
    versions = ", ".join(f"{name} {version(name)}" for name in ("celery", "django-tasks-db"))
    lines = [
        "## Workers",
        "",
        f"{executions} no-op executions on worker processes, a second; median. "
        f"Commit {sections.commit()}; {os.cpu_count()} cores, Python {sys.version.split()[0]}; "
        f"PostgreSQL {databases.version(databases.POSTGRESQL)}; {versions}.",
        "",
        "| engine | " + " | ".join(f"{count} processes" for count in workers) + " |",
        "| --- |" + " ---: |" * len(workers),
    ]
    for engine in ENGINES:
        if (engine.label, workers[0]) not in rates:
            continue
        shown = [f"{median(rates[engine.label, count]):.0f}" for count in workers]
        lines.append(f"| {engine.label} | " + " | ".join(shown) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
