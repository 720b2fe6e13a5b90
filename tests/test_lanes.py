"""Lanes: a baked project in an environment of its own passes all that it demands of itself."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.conftest import Bake
from tests.interpreters import interpreter
from tests.servers import server_url

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
        inherited = {
            name: value
            for name, value in os.environ.items()
            if name not in {"DJANGO_SETTINGS_MODULE", "PYTHONPATH", "TEST_DATABASE_URL"}
        }
        if self.database_url:
            inherited["DATABASE_URL"] = self.database_url
        done = subprocess.run(
            words, cwd=self.project, env=inherited | env, capture_output=True, text=True
        )
        if done.returncode:
            pytest.fail(f"{' '.join(words)}\n{done.stdout}\n{done.stderr}", pytrace=False)
        return done.stdout


def by_make(lane: Lane, python: Path) -> None:
    """As the project's README says."""
    lane.run("make", "install", f"PYTHON={python}")


def by_uv(lane: Lane, python: Path) -> None:
    """The same packages, sooner."""
    uv = str(Path(sys.executable).with_name("uv"))
    groups = ["--group", "dev", "--group", "deploy"]
    extras = "" if lane.database == "sqlite" else f"[{lane.database}]"
    lane.run(uv, "venv", "--quiet", "--python", str(python), ".venv")
    lane.run(uv, "pip", "install", "--quiet", *groups, "--editable", f".{extras}")
    (lane.project / ".venv" / "installed").touch()


RUNNING = "{}.{}".format(*sys.version_info)
LANES = {
    "sqlite-5.2": ("sqlite", "5.2", (RUNNING,), by_make),
    "sqlite-6.1": ("sqlite", "6.1", ("3.12", "3.13", "3.14"), by_uv),
    "postgresql-6.1": ("postgresql", "6.1", ("3.13", "3.14", "3.12"), by_uv),
    "mysql-5.2": ("mysql", "5.2", (RUNNING,), by_uv),
}


@pytest.fixture(scope="module", params=LANES.values(), ids=LANES.keys())
def lane(request: pytest.FixtureRequest, bake: Bake) -> Lane:
    database, django, versions, install = request.param
    python = interpreter(*versions)
    if not python:
        pytest.skip(f"Django {django} needs one of Python {', '.join(versions)}; none is here")
    slug = f"lane_{database}"
    url = "" if database == "sqlite" else server_url(database, slug)
    project = bake(project_slug=slug, database=database, django_version=django)
    lane = Lane(project, database, url)
    install(lane, python)
    return lane


PRODUCTION = {"DEBUG": "false", "SECRET_KEY": secrets.token_urlsafe(48)}


def test_system_checks_of_production(lane: Lane):
    lane.python(
        "-W", "error", "manage.py", "check", "--deploy", "--fail-level", "WARNING", **PRODUCTION
    )


def test_migrations_are_complete(lane: Lane):
    lane.python("manage.py", "makemigrations", "--check", "--dry-run")


def test_static_files(lane: Lane):
    lane.python("manage.py", "collectstatic", "--no-input", **PRODUCTION)
    assert (lane.project / "staticfiles" / "staticfiles.json").exists()


def test_gunicorn_configuration(lane: Lane):
    lane.python("-m", "gunicorn", "--check-config", **PRODUCTION)


def test_lint_as_its_readme_says(lane: Lane):
    lane.run("make", "lint")


def test_own_suite(lane: Lane):
    print(lane.python("-m", "pytest", "-q"))
