"""The smoke test's jobs on workers: a project of each other answer to ``task_backend``."""

from __future__ import annotations

import os
import shutil
import time
from collections import Counter
from contextlib import ExitStack
from datetime import datetime, timedelta
from typing import TextIO

from demo.evidence import HEAVY, add_jobs, bodies, history, wait_until
from demo.history import judge
from demo.processes import Processes
from demo.project import Project, bake, free_port, install
from demo.steps import StepError, step

BEFORE_THE_KILL = 4  # runs
AFTER_THE_KILL = 6  # runs
SETTLED = timedelta(seconds=3)  # a slot so shortly before the last one may still be open
REDIS = "redis-server"


def watch(output: TextIO) -> bool:
    """Run them side by side, kill a worker of each, and judge as ``demo.smoke`` does."""
    projects = {answer: prepare(answer) for answer in answers()}
    with ExitStack() as stack:
        all_processes = {
            answer: stack.enter_context(Processes(project.folder, project.env, output))
            for answer, project in projects.items()
        }
        with step("Starting a scheduler and a worker of each"):
            for answer, processes in all_processes.items():
                start(projects[answer], processes)
            wait_for_runs(projects, BEFORE_THE_KILL)
        with step("Killing the workers (-9), starting two of each, watching"):
            for answer, processes in all_processes.items():
                command = projects[answer].commands()["worker"]
                processes.kill("worker")
                processes.start("worker", command)
                processes.start("worker2", command)
            already = {answer: len(bodies(project, HEAVY)) for answer, project in projects.items()}
            wait_for_runs(projects, AFTER_THE_KILL + max(already.values()))
        for processes in all_processes.values():
            if ended := processes.ended():
                raise StepError(f"the process {ended!r} ended by itself")
    passed = [report(answer, project) for answer, project in projects.items()]
    return all(passed)


def answers() -> list[str]:
    """Return those that this machine can run. Raises StepError where CI was promised all."""
    if shutil.which(REDIS):
        return ["celery", "django-tasks"]
    if os.environ.get("CI") == "true":
        raise StepError(f"{REDIS} is missing: Celery's workers need it")
    print(f"  Without Celery's workers: {REDIS} is missing (on Debian: apt-get install redis)")
    return ["django-tasks"]


def prepare(answer: str) -> Project:
    with step(f"Baking and installing a project with {answer} workers"):
        project = bake(answer.replace("-", "_") + "_project", f"task_backend={answer}")
        if answer == "celery":
            project.variables["CELERY_BROKER_URL"] = f"redis://127.0.0.1:{free_port(16379)}/0"
        install(project)
        project.manage("migrate", "--no-input")
        add_jobs(project)
    return project


def start(project: Project, processes: Processes) -> None:
    if broker := project.variables.get("CELERY_BROKER_URL"):
        port = broker.rpartition(":")[2].partition("/")[0]
        processes.start("redis", f"exec {REDIS} --bind 127.0.0.1 --port {port} --save ''")
    commands = project.commands()
    for name in ("scheduler", "worker"):
        processes.start(name, commands[name])


def wait_for_runs(projects: dict[str, Project], count: int) -> None:
    for project in projects.values():
        wait_until(lambda project=project: len(bodies(project, HEAVY)) >= count, seconds=90)  # type: ignore[misc]
    time.sleep(1)  # what they ran is written


def report(answer: str, project: Project) -> bool:
    rows = history(project, HEAVY)
    slots = [datetime.fromisoformat(row["scheduled_run_time"]) for row in rows]
    last = datetime.fromisoformat(bodies(project, HEAVY)[-1]) - SETTLED
    ran = Counter(slot for slot in bodies(project, HEAVY) if datetime.fromisoformat(slot) <= last)
    verdict = judge(rows, min(slots), last)
    outcomes = ", ".join(f"{count} {status}" for status, count in verdict.outcomes.items())
    print(f"""
  {answer}
  owed runs            {verdict.owed}, one a second
  recorded             {outcomes}
  recorded twice       {len(verdict.twice)}
  not recorded         {len(verdict.absent)}
  bodies that ran      {sum(ran.values())}, for {len(ran)} of them""")
    return (
        verdict.exact
        and verdict.outcomes.keys() <= {"succeeded", "lost"}
        and verdict.outcomes["lost"] <= 1  # the run that the kill may have struck
        and max(ran.values()) == 1
        and len(ran) >= verdict.outcomes["succeeded"]
    )
