"""The packages of a baked project: locked once, and then the same everywhere."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import Bake
from tests.template import developer
from tests.template.locks import UV

pytestmark = pytest.mark.slow

WITHOUT_UV, WITH_UV = "/usr/bin:/bin", f"{Path(UV).parent}:/usr/bin:/bin"
TOOLS = {"django", "gunicorn", "honcho", "psycopg", "pytest", "supervisor", "uv"}


@pytest.fixture(scope="module")
def project(bake: Bake) -> Path:
    """Installed on a machine without uv."""
    project = bake(project_slug="packages", database="postgresql")
    make(project, "packages")
    return project


def make(
    project: Path, *words: str, path: str = WITHOUT_UV, ci: str = "", fails: bool = False
) -> str:
    return run(project, "make", *words, f"PYTHON={sys.executable}", PATH=path, CI=ci, fails=fails)


def run(project: Path, *words: str, fails: bool = False, **more: str) -> str:
    """What a command printed; ``fails`` says whether it must."""
    environment = developer.environment()
    done = subprocess.run(
        words, cwd=project, env=environment | more, capture_output=True, text=True, timeout=300
    )
    assert bool(done.returncode) == fails, done.stdout + done.stderr
    return done.stdout + done.stderr


def installed(project: Path, environment: str = ".venv") -> dict[str, str]:
    lines = run(project, UV, "pip", "freeze", "--python", environment).splitlines()
    return dict(line.split("==") for line in lines if "==" in line)


def test_uv_by_hand_and_make_undo_nothing_of_each_other(project: Path):
    run(project, UV, "pip", "install", "--python", ".venv", "six")
    make(project, "packages")
    before = installed(project)
    assert TOOLS | {"six"} <= before.keys()
    run(project, UV, "sync", "--python", ".venv/bin/python")
    after = installed(project)
    assert before.items() - after.items() == {("six", before["six"])}  # which nothing declares
    make(project, "packages", path=WITH_UV)
    assert installed(project) == after


def test_a_server_installs_the_same_versions_with_pip_alone(project: Path):
    run(project, sys.executable, "-m", "venv", "server")
    run(project, "server/bin/python", "-m", "pip", "install", "-r", "requirements.lock")
    server = installed(project, "server")
    for name in ("pip", "setuptools"):  # of the venv module
        server.pop(name, None)
    assert {"gunicorn", "supervisor", "psycopg", "sentry-sdk", "prometheus-client"} <= server.keys()
    assert not {"pytest", "ruff", "mypy"} & server.keys()
    locked = (project / "uv.lock").read_text()
    assert [
        name
        for name, number in server.items()
        if f'name = "{name}"\nversion = "{number}"\n' not in locked
    ] == []


def test_a_package_that_was_tampered_with_is_refused(project: Path):
    lock = (project / "requirements.lock").read_text()
    (project / "tampered.lock").write_text(re.sub(r"sha256:\w{8}", "sha256:00000000", lock))
    pip = (".venv/bin/python", "-m", "pip", "download", "--dest", "downloads", "--no-deps")
    printed = run(project, *pip, "-r", "tampered.lock", fails=True)
    assert "DO NOT MATCH THE HASHES" in printed


def test_upgrade_tells_what_moved(project: Path):
    old = ("--upgrade-package", "gunicorn==25.3.0")
    run(project, UV, "lock", *old, "--python", ".venv/bin/python")
    make(project, "packages")
    assert installed(project)["gunicorn"] == "25.3.0"
    assert "gunicorn==25.3.0 " in (project / "requirements.lock").read_text()
    moved = re.search(r"Updated gunicorn v25\.3\.0 -> v(\S+)", make(project, "upgrade"))
    assert moved
    assert installed(project)["gunicorn"] == moved[1]
    assert f"gunicorn=={moved[1]} " in (project / "requirements.lock").read_text()


def test_continuous_integration_refuses_locks_that_do_not_fit(project: Path):
    make(project, "packages", ci="true")
    lock, declared = project / "requirements.lock", project / "pyproject.toml"
    whole, text = lock.read_text(), declared.read_text()
    lock.write_text(whole.replace("django==", "django==0."))
    assert "run make install, and commit both" in make(project, "packages", ci="true", fails=True)
    lock.write_text(whole)
    declared.write_text(text.replace('"whitenoise>=6.9",', '"whitenoise>=6.9", "six",'))
    assert "uv.lock` needs to be updated" in make(project, "packages", ci="true", fails=True)
    make(project, "packages")
    assert "\nsix==" in lock.read_text()
    declared.write_text(text)
    make(project, "packages")
    assert lock.read_text() == whole
