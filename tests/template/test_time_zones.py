"""A project on a system whose data lacks the legacy names of time zones, as Debian 13's does."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import Bake

ZONES = Path("/usr/share/zoneinfo")
ALONE = ["unshare", "--mount", "--map-root-user"]


def can_hide_a_folder() -> bool:
    if not (shutil.which(ALONE[0]) and ZONES.is_dir()):
        return False
    words = ["mount", "--bind", "/usr/share", "/usr/share"]
    return not subprocess.run([*ALONE, *words], capture_output=True).returncode


@pytest.mark.skipif(not can_hide_a_folder(), reason="unshare --mount is not permitted here")
@pytest.mark.parametrize(
    ("zone", "used"), [("US/Pacific", "America/Los_Angeles"), ("Europe/Berlin", "Europe/Berlin")]
)
def test_a_legacy_name_is_the_zone_that_it_links_to(
    bake: Bake, tmp_path: Path, zone: str, used: str
):
    project = bake(timezone=zone, project_slug="zones")
    system = tmp_path / "zoneinfo"
    for name in ("America/Los_Angeles", "Europe/Berlin", "UTC"):
        (system / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ZONES / name, system / name)
    code = (
        "import datetime; from django.conf import settings; from django.utils import timezone;"
        "print(settings.TIME_ZONE, timezone.get_current_timezone().utcoffset("
        "datetime.datetime(2026, 1, 1)).total_seconds() / 3600)"
    )
    words = [sys.executable, "manage.py", "shell", "--verbosity", "0", "-c", code]
    done = subprocess.run(
        [*ALONE, "sh", "-c", 'mount --bind "$0" "$1" && shift && exec "$@"', system, ZONES, *words],
        cwd=project,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == [used, {"US/Pacific": "-8.0"}.get(zone, "1.0")]
