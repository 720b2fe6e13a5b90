"""The units: checked and scored at rest, then run by a real systemd on a private root."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.boot import ledger, nspawn, systemd_scenario
from tests.boot.site import Site
from tests.combinations import CHOICES
from tests.conftest import Bake
from tests.template.locks import lock

HERE = Path(__file__).parent
UNITS = "deploy/systemd"
MOST_EXPOSED = 1.5
needs_systemd = pytest.mark.skipif(
    not shutil.which("systemd-analyze"), reason="systemd-analyze is not installed"
)


@pytest.fixture(scope="module", params=CHOICES["task_backend"])
def units(
    bake: Bake, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> list[Path]:
    """The units, whose programs exist: verify looks for them."""
    folder = tmp_path_factory.mktemp("units")
    baked = bake(project_slug="boot_site", task_backend=request.param)
    (baked / ".venv").symlink_to(sys.prefix)
    for unit in (baked / UNITS).iterdir():
        text = unit.read_text().replace("/srv/boot_site", str(baked))
        (folder / unit.name.replace("alert@.", "alert@test.")).write_text(text)
    return sorted(folder.iterdir())


@needs_systemd
def test_systemd_has_nothing_to_say_against_them(units: list[Path]):
    done = subprocess.run(
        ["systemd-analyze", "verify", *map(str, units)], capture_output=True, text=True
    )
    # It exits with 0 also for unknown keys: what it prints counts.
    ours = [line for line in done.stderr.splitlines() if "boot_site" in line]
    assert (done.returncode, ours) == (0, []), done.stderr


@needs_systemd
def test_verify_would_find_a_misspelt_key(units: list[Path], tmp_path: Path):
    broken = tmp_path / "boot_site-scheduler.service"
    text = next(unit for unit in units if unit.name == broken.name).read_text()
    broken.write_text(text.replace("WatchdogSec=", "WatchdogSecs="))
    done = subprocess.run(
        ["systemd-analyze", "verify", str(broken)], capture_output=True, text=True
    )
    assert "WatchdogSecs" in done.stderr


@needs_systemd
@pytest.mark.parametrize("name", ["web", "scheduler", "worker", "migrate", "alert@test"])
def test_systemd_rates_the_units_exposure_as_low(units: list[Path], name: str):
    unit = next((unit for unit in units if unit.name == f"boot_site-{name}.service"), None)
    if unit is None:
        assert name == "worker"  # the answer to task_backend is inline
        return
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--no-pager", str(unit)],
        capture_output=True,
        text=True,
    )
    score = float(done.stdout.split("Overall exposure level")[1].split(":")[1].split()[0])
    assert score <= MOST_EXPOSED


@pytest.fixture(scope="module")
def scenario(bake: Bake, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with what happened inside."""
    folder = tmp_path_factory.mktemp("systemd")
    if reason := nspawn.obstacle(folder):
        pytest.skip(reason)
    app = _installed(bake(project_slug="boot_site"), folder)
    out = folder / "out"
    out.mkdir()
    for name in ("systemd_scenario.py", "waiting.py", "guide.py"):
        shutil.copy(HERE / name, out)
    done = nspawn.boot(app, out, "boot_site", "systemd_scenario.py")
    log = out / "scenario.log"
    print(log.read_text() if log.exists() else done.stdout + done.stderr)
    assert (out / "results.json").exists(), f"rc {done.returncode}: {done.stdout}{done.stderr}"
    return out


@pytest.mark.parametrize("step", systemd_scenario.STEPS)
def test_each_step_of_a_deployment_by_systemd_succeeds(scenario: Path, step: str):
    failure = json.loads((scenario / "results.json").read_text())[step]
    assert not failure, failure


def test_every_slot_is_there_once(scenario: Path):
    outcomes = ledger.check(scenario / "state" / "db.sqlite3")
    assert outcomes["succeeded"] > 10, outcomes


def _installed(project: Path, folder: Path) -> Path:
    """With a virtual environment of the system's Python: others a service cannot read."""
    app = folder / "app"
    shutil.copytree(project, app)
    shutil.copy(HERE / "jobs_of_the_site.py", app / "home" / "jobs.py")
    site = Site(app)
    site.write_settings(
        DATABASE_URL="sqlite:////var/lib/boot_site/db.sqlite3", BIND=None, LOG_LEVEL="INFO"
    )
    subprocess.run(["/usr/bin/python3", "-m", "venv", "--without-pip", app / ".venv"], check=True)
    lock(app)
    packages = ["--requirement", "requirements.lock"]
    install = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--python", ".venv"]
    subprocess.run([*install, *packages], cwd=app, check=True, timeout=300)
    return app
