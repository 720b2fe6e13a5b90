"""Lanes: a baked project in an environment of its own passes all that it demands of itself."""

from __future__ import annotations

import os
import re
import secrets
import subprocess
import sys
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.conftest import Bake
from tests.interpreters import interpreter
from tests.servers import made_database
from tests.template import developer
from tests.template.locks import UV

pytestmark = pytest.mark.slow


@dataclass
class Lane:
    """A project with its environment; `database_url` is empty where its own default serves."""

    project: Path
    database: str
    database_url: str

    def python(self, *words: str, **env: str) -> str:
        """Run its interpreter, and return what it printed. Fails the test when that fails."""
        return self.run(str(self.project / ".venv" / "bin" / "python"), *words, **env)

    def run(self, *words: str, **env: str) -> str:
        inherited = developer.environment()
        if self.database_url:
            inherited["DATABASE_URL"] = self.database_url
        done = subprocess.run(
            words, cwd=self.project, env=inherited | env, capture_output=True, text=True
        )
        if done.returncode:
            pytest.fail(f"{' '.join(words)}\n{done.stdout}\n{done.stderr}", pytrace=False)
        return done.stdout


def by_pip(lane: Lane, python: Path) -> None:
    """As the project's README says, on a machine without uv."""
    lane.run("make", "install", f"PYTHON={python}", PATH="/usr/bin:/bin")


def by_uv(lane: Lane, python: Path) -> None:
    """The same, on a machine that has it."""
    path = f"{Path(UV).parent}{os.pathsep}{os.environ['PATH']}"
    lane.run("make", "install", f"PYTHON={python}", PATH=path)


RUNNING = "{}.{}".format(*sys.version_info)
LANES = {
    "sqlite-5.2": ("sqlite", "5.2", (RUNNING,), by_pip),
    "sqlite-6.1": ("sqlite", "6.1", ("3.14", "3.12", "3.13"), by_uv),
    "postgresql-6.1": ("postgresql", "6.1", ("3.13", "3.14", "3.12"), by_uv),
    "mysql-5.2": ("mysql", "5.2", (RUNNING,), by_uv),
}


@pytest.fixture(scope="module", params=LANES.values(), ids=LANES.keys())
def lane(request: pytest.FixtureRequest, bake: Bake) -> Iterator[Lane]:
    database, django, versions, install = request.param
    python = interpreter(*versions)
    if not python:
        pytest.skip(f"Django {django} needs one of Python {', '.join(versions)}; none is here")
    slug = f"lane_{database}"
    made = nullcontext("") if database == "sqlite" else made_database(database, slug)
    with made as url:  # as the project's README says, before the first make
        project = bake(project_slug=slug, database=database, django_version=django)
        lane = Lane(project, database, url)
        install(lane, python)
        yield lane


PRODUCTION = {
    "DEBUG": "false",
    "SECRET_KEY": secrets.token_urlsafe(48),
    "CELERY_BROKER_URL": "redis://127.0.0.1:1/0",
}


def test_migrations_are_complete(lane: Lane):
    lane.python("manage.py", "makemigrations", "--check", "--dry-run")


def test_static_files_and_system_checks_of_production(lane: Lane):
    """As docs/deploy.md orders them: the check asks for the files."""
    lane.python("manage.py", "collectstatic", "--no-input", **PRODUCTION)
    assert (lane.project / "staticfiles" / "staticfiles.json").exists()
    lane.python(
        "-W", "error", "manage.py", "check", "--deploy", "--fail-level", "WARNING", **PRODUCTION
    )


def test_gunicorn_configuration(lane: Lane):
    lane.python("-m", "gunicorn", "--check-config", **PRODUCTION)


def test_lint_as_its_readme_says(lane: Lane):
    lane.run("make", "lint", CI="true")  # with the locks as they are


def test_own_suite_leaves_nothing_behind(lane: Lane):
    before = files(lane.project)
    print(lane.python("-m", "pytest", "-q"))
    assert files(lane.project) == before


def files(project: Path) -> set[str]:
    """All but what tools keep for their next run."""
    names = {path.relative_to(project).as_posix() for path in project.rglob("*") if path.is_file()}
    return {name for name in names if not re.search(r"^\.venv/|__pycache__/|_cache/", name)}


def test_pre_commit_finds_nothing(lane: Lane):
    lane.run("git", "init", "--quiet")
    lane.run("git", "add", "--all")
    lane.python("-m", "pre_commit", "run", "--all-files")
