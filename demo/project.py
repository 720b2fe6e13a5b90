"""The default project: baked into a folder of its own, installed, migrated, with an admin."""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import sys
import time
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

from demo.processes import read_procfile
from demo.steps import StepError, run, step
from demo.template import ROOT, copy_template

FOLDER = Path(os.environ.get("DEMO_FOLDER", ROOT / ".demo"))


@dataclass
class Project:
    """A project that is ready to start."""

    folder: Path
    port: int
    password: str = field(default_factory=lambda: secrets.token_urlsafe(9))
    variables: dict[str, str] = field(default_factory=dict)
    """Of its commands' environment, beside those that all have."""

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def env(self) -> dict[str, str]:
        """The environment of its commands: its own packages first, nothing of ours."""
        ours = {"DJANGO_SETTINGS_MODULE", "PYTHONPATH", "VIRTUAL_ENV", "DATABASE_URL"}
        kept = {name: value for name, value in os.environ.items() if name not in ours}
        return kept | {
            "PATH": f"{self.folder / '.venv' / 'bin'}{os.pathsep}{os.environ['PATH']}",
            "BIND": f"127.0.0.1:{self.port}",
            "WEB_CONCURRENCY": "2",
            "PYTHONUNBUFFERED": "1",
            **self.variables,
        }

    def commands(self) -> dict[str, str]:
        """Return what the project's own Procfile runs all the time, by name."""
        commands = read_procfile(self.folder / "Procfile")
        return {name: command for name, command in commands.items() if name != "release"}

    def wait_for_page(self, seconds: float = 30) -> None:
        """Wait until the home page answers. Raises StepError when it does not in time."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            try:
                urllib.request.urlopen(self.address, timeout=5).close()
            except OSError:
                time.sleep(0.1)
            else:
                return
        raise StepError(f"{self.address} did not answer within {seconds:.0f} s")

    def manage(self, *words: str, **more: str) -> str:
        """Run a management command and return what it printed."""
        python = self.folder / ".venv" / "bin" / "python"
        return run(python, "manage.py", *words, cwd=self.folder, env=self.env | more)


def prepare() -> Project:
    """Make the project anew, telling each step."""
    with step(f"Baking the default project into {FOLDER.name}/my_project"):
        shutil.rmtree(FOLDER, ignore_errors=True)
        FOLDER.mkdir()
        copy_template(FOLDER / "template")
        project = bake("my_project")
    with step("Installing it in an environment of its own"):
        install(project)
    with step("Migrating its database"):
        project.manage("migrate", "--no-input")
    with step("Creating an administrator"):
        project.manage(
            "createsuperuser",
            "--no-input",
            "--username=admin",
            "--email=admin@example.com",
            DJANGO_SUPERUSER_PASSWORD=project.password,
        )
    return project


def bake(slug: str, *answers: str) -> Project:
    """Bake a project of that name, with these answers, as ``prepare`` left the template."""
    words = ["--no-input", "template", f"project_slug={slug}", *answers]
    run(sys.executable, "-m", "cookiecutter", *words, cwd=FOLDER, env=os.environ)
    return Project(FOLDER / slug, free_port())


def install(project: Project) -> None:
    """Install what the project names, by uv where that is at hand, by pip otherwise."""
    python = str(project.folder / ".venv" / "bin" / "python")
    uv = Path(sys.executable).with_name("uv")
    if uv.exists():
        make = [str(uv), "venv", "--python", sys.executable]
        pip = [str(uv), "pip", "install", "--python", python]
    else:
        make, pip = [sys.executable, "-m", "venv"], [python, "-m", "pip", "install"]

    def do(*command: str) -> None:
        run(*command, cwd=project.folder, env=project.env)

    do(*make, ".venv")
    if not uv.exists():
        do(*pip, "pip>=25.1")  # the first to know dependency groups
    do(*pip, "--editable", ".")


def free_port(first: int = 8000) -> int:
    """Return the first port from `first` on that nobody listens on."""
    for port in range(first, first + 100):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)):
                return port
    raise OSError(f"no free port from {first} to {first + 99}")
