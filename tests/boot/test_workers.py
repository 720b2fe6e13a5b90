"""One jobs.py under every answer to task_backend, with real workers and a Redis of its own."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from supervisor.options import ServerOptions

from tests.boot import ledger
from tests.boot.site import Site, copy_of, prepare, processes
from tests.boot.waiting import until
from tests.combinations import CHOICES
from tests.conftest import Bake
from tests.workers import brokers

JOBS = Path(__file__).with_name("jobs_of_workers.py")
ANSWERS = CHOICES["task_backend"]
WITH_WORKERS = ANSWERS[1:]
SUCCEEDED = """
SELECT return_value FROM scheduler_execution WHERE job_id = ? AND status = 'succeeded' ORDER BY id
"""


@pytest.fixture(scope="module")
def broker() -> Iterator[str]:
    with brokers.broker("redis") as redis:
        yield redis.url()


@pytest.fixture(scope="module")
def projects(bake: Bake) -> dict[str, Path]:
    made = {}
    for answer in ANSWERS:
        made[answer] = bake(project_slug="boot_site", task_backend=answer)
        prepare(made[answer], JOBS)
    return made


@pytest.fixture
def site(
    projects: dict[str, Path],
    broker: str,
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Site]:
    """The project of the answer that the test is parametrized with."""
    with copy_of(projects[request.param], tmp_path_factory.mktemp("site") / "site") as site:
        site.settings["CELERY_BROKER_URL"] = broker
        site.write_settings()
        yield site


def procfile(site: Site, name: str = "Procfile") -> dict[str, str]:
    lines = (site.path / name).read_text().splitlines()
    return dict(line.split(": ", 1) for line in lines)


def ran(site: Site, job: str) -> set[int]:
    """The processes in which the job ran."""
    return {int(row[0]) for row in ledger.read(site.database, SUCCEEDED, job)}


def parent(pid: int) -> int:
    """Who started the process; pools keep theirs for as long as they live."""
    stat = Path(f"/proc/{pid}/stat").read_text()
    return int(stat.rpartition(")")[2].split()[1])


@pytest.mark.parametrize("site", ANSWERS, indirect=True)
def test_one_jobs_py_runs_unchanged(site: Site):
    assert (site.path / "home" / "jobs.py").read_text() == JOBS.read_text()
    commands = procfile(site)
    scheduler = site.shell(commands["scheduler"], "scheduler.log")
    worker = site.shell(commands["worker"], "worker.log") if "worker" in commands else scheduler
    for job in ("light", "medium", "heavy"):
        until(lambda job=job: len(ledger.read(site.database, SUCCEEDED, job)) >= 2, 60, job)
    assert ran(site, "light") == {scheduler.pid}
    assert {parent(pid) for pid in ran(site, "medium")} == {scheduler.pid}
    # db_worker has no pool.
    heavy = ran(site, "heavy")
    assert all(worker.pid in (pid, parent(pid)) for pid in heavy), (worker.pid, heavy)
    assert scheduler.pid not in heavy
    if worker is not scheduler:
        site.stop(worker, within=40)
    assert site.stop(scheduler, within=30) == 0
    assert processes(site.path) == []
    assert "0 runs are unexplained" in site.manage("scheduler", "audit").stdout


@pytest.mark.parametrize("site", ["inline"], indirect=True)
def test_the_setting_does_what_the_answer_does_without_baking_anew(site: Site):
    site.write_settings(APSCHEDULER_WORKERS="django-tasks")
    site.manage("migrate", "--noinput", "-v0")
    scheduler = site.scheduler()
    words = ("db_worker", "--queue-name", "scheduler", "--backend", "workers")
    worker = site.start("manage.py", *words, log="worker.log")
    until(lambda: ran(site, "heavy"), 60, "run by the worker")
    assert ran(site, "heavy") == {worker.pid}
    assert site.stop(worker, within=30) == 0
    assert site.stop(scheduler, within=30) == 0


@pytest.mark.parametrize("site", ["inline"], indirect=True)
def test_celery_without_its_app_is_an_error_that_says_where_it_is(site: Site):
    site.write_settings(APSCHEDULER_WORKERS="celery")
    done = site.manage("runapscheduler", check=False)
    assert done.returncode != 0
    assert "there is no config/celery.py: docs/scale.md has it" in done.stderr


@pytest.mark.parametrize("site", WITH_WORKERS, indirect=True)
def test_a_worker_that_nothing_would_reach_ends_and_says_why(site: Site):
    site.write_settings(APSCHEDULER_WORKERS="inline")
    worker = site.shell(procfile(site)["worker"], "worker.log")
    assert worker.wait(30) != 0
    assert "APSCHEDULER_WORKERS is" in site.log("worker.log")
    assert "Traceback" not in site.log("worker.log")


@pytest.mark.parametrize("site", ["django-tasks"], indirect=True)
def test_a_worker_of_an_unknown_queue_ends_and_names_the_queues(site: Site):
    worker = site.shell(procfile(site)["worker"].replace("scheduler", "shceduler"), "worker.log")
    assert worker.wait(30) == 1
    said = site.log("worker.log")
    assert "nothing is ever enqueued to shceduler. The queues of the backend 'workers'" in said
    assert "are scheduler (TASKS in config/settings.py)" in said
    assert "Traceback" not in said


def recipe(site: Site) -> list[str]:
    """What `make run` does once all is installed: its last lines."""
    lines = site.make_run()
    return lines[1 + max(at for at, line in enumerate(lines) if " migrate" in line) :]


@pytest.mark.parametrize("site", WITH_WORKERS, indirect=True)
def test_make_run_starts_one_worker(site: Site):
    site.write_settings(DEBUG="true", BIND="127.0.0.1:1")
    runner = site.shell("; ".join(recipe(site)), "run.log")
    until(lambda: ran(site, "heavy"), 60, "run by a worker")
    pids = ran(site, "heavy")
    lines = {Path(f"/proc/{pid}/cmdline").read_text() for pid in pids}
    assert all("celery" in line or "db_worker" in line for line in lines), lines
    os.killpg(runner.pid, 2)
    runner.wait(40)
    until(lambda: processes(site.path) == [], 10, "left by all processes")


@pytest.mark.parametrize("site", ["celery"], indirect=True)
def test_make_run_says_how_to_start_redis_when_none_answers(site: Site):
    site.write_settings(CELERY_BROKER_URL=f"redis://127.0.0.1:{site.port}/0")
    check, _ = recipe(site)
    done = subprocess.run(
        ["sh", "-c", check], cwd=site.path, env=site.environment(), capture_output=True, text=True
    )
    assert done.returncode != 0
    assert "sudo apt-get install redis-server" in done.stderr


def test_the_page_s_celery_app_is_the_one_of_the_answer(projects: dict[str, Path]):
    page = (projects["inline"] / "docs" / "scale.md").read_text()
    shown = page.partition("cat > config/celery.py <<'END'\n")[2].partition("END\n")[0]
    assert shown == (projects["celery"] / "config" / "celery.py").read_text()


def test_a_second_worker_of_a_host_has_a_name_as_the_process_files_say(
    projects: dict[str, Path], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(projects["celery"])
    deploy = Path("deploy").resolve()
    conf = deploy / "supervisord" / "host.conf"
    (name,) = re.findall(r"^; (--hostname \S+):", conf.read_text(), re.M)
    section = conf.read_text().partition("\n[program:worker]\n")[2]
    command = section.partition("\n")[0]
    second = conf.with_name("second.conf")
    second.write_text(f"{conf.read_text()}\n[program:worker2]\n{command} {name}\n")
    options = ServerOptions()
    options.realize(["-c", str(second)])
    programs = {group.name: group.process_configs[0] for group in options.process_group_configs}
    assert programs["worker2"].command == f"{programs['worker'].command} --hostname two@%h"
    unit = (deploy / "systemd" / "boot_site-worker.service").read_text()
    assert name in unit, "systemd reads %% as % as well"
    others = (projects["django-tasks"] / "deploy").rglob("*")
    assert not [path for path in others if path.is_file() and "--hostname" in path.read_text()]
