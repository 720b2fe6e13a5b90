"""docs/scale.md, followed by somebody who has an inline project and wants workers."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.boot import ledger
from tests.boot.site import Site
from tests.boot.test_workers import JOBS, parent, ran
from tests.boot.waiting import until
from tests.conftest import Bake
from tests.interpreters import interpreter
from tests.template import developer
from tests.template.locks import UV
from tests.template.test_bake_lifecycle import CRUFT, commit
from tests.workers import brokers


def commands(page: str, after: str) -> list[str]:
    """The next commands after a text, each with what it reads."""
    block = page.partition(after)[2].partition("```sh\n")[2].partition("```\n")[0]
    return re.findall(r".*<<'END'\n(?s:.*?)^END$|.+", block, re.M)


def follow(site: Site, steps: list[str]) -> None:
    for command in steps:
        done = subprocess.run(
            ["sh", "-ec", command], cwd=site.path, env=developer.environment(),
            capture_output=True, text=True, timeout=300,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture
def site(
    request: pytest.FixtureRequest, bake: Bake, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    """An inline project in an environment of its own, as `make install` makes it.

    Of the Django and the Python that the test may be parametrized with.
    """
    answers, python = getattr(request, "param", ({}, sys.executable))
    if python is None:
        pytest.skip("django-ox needs Python 3.12 or newer; none is here")
    project = tmp_path_factory.mktemp("outgrowing") / "site"
    shutil.copytree(bake(project_slug="boot_site", **answers), project)
    (project / "home" / "jobs.py").write_text(JOBS.read_text())
    site = Site(project)
    make = ["make", "install", f"PYTHON={python}", f"UV={UV}"]
    done = subprocess.run(
        make, cwd=project, env=developer.environment(), capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    try:
        yield site
    finally:
        site.clean_up()


def test_five_commands_lead_from_an_inline_project_to_two_celery_workers(site: Site):
    page = (site.path / "docs" / "scale.md").read_text()
    *prepare, one, two = commands(page, "\n## From one machine to two Celery workers\n")
    assert len(prepare) + 2 == 5
    with brokers.broker("redis") as redis:
        site.write_settings(CELERY_BROKER_URL=redis.url())
        inline = site.scheduler("inline.log")
        until(lambda: ran(site, "heavy"), 60, "run beside the scheduler")
        assert {parent(pid) for pid in ran(site, "heavy")} == {inline.pid}
        follow(site, prepare)
        workers = [
            site.shell(f"exec {line}", f"worker{at}.log") for at, line in enumerate([one, two])
        ]
        assert site.stop(inline, within=40) == 0
        before = ledger.read(site.database, "SELECT max(id) FROM scheduler_execution")[0][0]
        site.scheduler()
        until(lambda: ran_by(site, before) == {worker.pid for worker in workers}, 90, "run by both")
    assert "0 runs are unexplained" in site.manage("scheduler", "audit").stdout


@pytest.mark.parametrize(
    "site",
    [({"django_version": "6.1"}, interpreter("3.13", "3.12", "3.14"))],
    ids=["django-6.1"],
    indirect=True,
)
def test_django_ox_takes_the_place_of_django_tasks_db(site: Site):
    page = (site.path / "docs" / "scale.md").read_text()
    *prepare, start = commands(page, "With django-ox, for example")
    follow(site, prepare)
    scheduler = site.scheduler()
    first = site.shell(f"exec {start}", "first.log")
    until(lambda: ran(site, "heavy") == {first.pid}, 90, "run by the worker")
    first.kill()
    first.wait(10)
    second = site.shell(f"exec {start} --lock-timeout 1", "second.log")
    until(lambda: second.pid in ran(site, "heavy"), 90, "run by the next worker")
    assert ran(site, "light") == {scheduler.pid}
    assert site.stop(second, within=40) == 0
    assert site.stop(scheduler, within=40) == 0
    assert "0 runs are unexplained" in site.manage("scheduler", "audit").stdout


def ran_by(site: Site, after: int) -> set[int]:
    """The workers that ran the heavy job since an execution."""
    query = (
        "SELECT return_value FROM scheduler_execution"
        " WHERE job_id = 'heavy' AND status = 'succeeded' AND id > ?"
    )
    return {parent(int(row[0])) for row in ledger.read(site.database, query, after)}


def test_cruft_brings_the_worker_into_the_process_files(template: Path, tmp_path: Path):
    page = (template / "{{cookiecutter.project_slug}}" / "docs" / "scale.md").read_text()
    (line,) = re.findall(r"^`(cruft update .*)`\.$", page, re.M)
    source = shutil.copytree(template, tmp_path / "source")
    commit(source, "release")
    environment = os.environ | CRUFT
    create = ["cruft", "create", "--no-input", "--output-dir", tmp_path, source]
    subprocess.run(create, env=environment, check=True, capture_output=True)
    project = tmp_path / "my_project"
    commit(project, "project")
    subprocess.run(
        ["sh", "-ec", f"{line} --skip-apply-ask"], cwd=project, env=environment, check=True
    )
    assert not list(project.rglob("*.rej"))
    assert "\nworker: " in (project / "Procfile").read_text()
    assert "worker" in json.loads((project / "app.json").read_text())["formation"]
    assert (project / "deploy" / "systemd" / "my_project-worker.service").exists()
    assert (project / "config" / "celery.py").exists()
