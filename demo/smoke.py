"""make smoke: check that each run of a one-second job happens once, whatever happens.

Starts the default project, kills its scheduler with -9, starts it again with a second one beside
it, and judges by the execution history and by what the job itself wrote down. Then the same jobs.py
in a project of each kind of workers, of which one is killed.
"""

from __future__ import annotations

import sys
import time
import urllib.error
import urllib.request
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from demo import workers
from demo.evidence import HEAVY, add_jobs, bodies, history, wait_until
from demo.history import Verdict, judge
from demo.processes import Processes, heed_signals
from demo.project import FOLDER, Project, prepare
from demo.steps import StepError, end_on_failure, step

PAGES = ["/", "/admin/login/", "/healthz"]
BEFORE_THE_KILL = 5  # runs
AFTER_THE_KILL = 22  # seconds
SETTLED = timedelta(seconds=2)  # a slot younger than this may still be open


def main() -> int:
    heed_signals()
    log = FOLDER / "smoke.log"
    try:
        project = prepare()
        add_jobs(project)
        with log.open("w") as output:
            with Processes(project.folder, project.env, output) as processes:
                passed = watch(project, processes)
            passed &= workers.watch(output)
    except StepError as error:
        return end_on_failure(error)
    except KeyboardInterrupt:
        print("\nStopped.")
        return 130
    print(f"\n  {'Passed.' if passed else 'FAILED.'} What the processes printed: {log}")
    return 0 if passed else 1


def watch(project: Project, processes: Processes) -> bool:
    commands = project.commands()
    pages = Pages(project)
    with step(f"Starting {' and '.join(commands)}, waiting for {BEFORE_THE_KILL} runs"):
        for name, command in commands.items():
            processes.start(name, command)
        wait_until(lambda: len(bodies(project)) >= BEFORE_THE_KILL, seconds=60)
    with step("Killing the scheduler (-9), starting two, watching"):
        killed = datetime.now(UTC)
        processes.kill("scheduler")
        processes.start("scheduler", commands["scheduler"])
        processes.start("scheduler2", commands["scheduler"])
        for _ in range(AFTER_THE_KILL):
            for page in PAGES:
                pages.fetch(page)
            time.sleep(1)
        pages.fetch("/healthz/scheduler")
    if ended := processes.ended():
        raise StepError(f"the process {ended!r} ended by itself")
    return report(project, pages, killed)


@dataclass
class Pages:
    """What the pages answered."""

    project: Project
    answers: Counter[int] = field(default_factory=Counter)

    def fetch(self, page: str) -> None:
        try:
            with urllib.request.urlopen(self.project.address + page, timeout=10) as answer:
                self.answers[answer.status] += 1
        except urllib.error.HTTPError as error:
            self.answers[error.code] += 1
        except OSError:
            self.answers[0] += 1


def report(project: Project, pages: Pages, killed: datetime) -> bool:
    until = datetime.now(UTC) - SETTLED
    rows = history(project)
    if not rows:
        raise StepError("the history holds no run of the job")
    first = min(datetime.fromisoformat(row["scheduled_run_time"]) for row in rows)
    verdict = judge(rows, first, until)
    ran = Counter(slot for slot in bodies(project) if datetime.fromisoformat(slot) <= until)
    started = sorted(datetime.fromisoformat(row["started_at"]) for row in rows if row["started_at"])
    after = [moment for moment in started if moment > killed]
    print_figures(verdict, pages, ran, (after[0] - killed).total_seconds() if after else None)
    return (
        verdict.exact
        and verdict.owed >= 20
        and len(bodies(project, HEAVY)) >= BEFORE_THE_KILL
        and verdict.outcomes.keys() <= {"succeeded", "lost"}
        and verdict.outcomes["lost"] <= 1  # the run that the kill may have struck
        and max(ran.values(), default=0) == 1
        and len(ran) >= verdict.outcomes["succeeded"]
        and pages.answers.keys() == {200}
    )


def print_figures(verdict: Verdict, pages: Pages, ran: Counter[str], gap: float | None) -> None:
    outcomes = ", ".join(f"{count} {status}" for status, count in verdict.outcomes.items())
    print(f"""
  owed runs            {verdict.owed}, one a second
  recorded             {outcomes}
  recorded twice       {len(verdict.twice)}
  not recorded         {len(verdict.absent)}
  not owed             {len(verdict.strange)}
  bodies that ran      {sum(ran.values())}, for {len(ran)} of them
  kill -9 to next run  {"never" if gap is None else f"{gap:.2f} s"}
  pages                {", ".join(f"{n} answered {code}" for code, n in pages.answers.items())}""")


if __name__ == "__main__":
    sys.exit(main())
