"""The locks of a baked project, without the packages."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.template import developer

UV = str(Path(sys.executable).with_name("uv"))


def lock(project: Path) -> None:
    """Write ``uv.lock`` and, by the command in its Makefile, ``requirements.lock``."""
    export = "--eval=only-export: ; $(EXPORT) --output-file requirements.lock"
    make = ["make", export, "only-export", f"UV={UV}", f"UV_PYTHON={sys.executable}"]
    for command in ([UV, "lock", "--quiet", "--python", sys.executable], make):
        done = subprocess.run(
            command,
            cwd=project,
            env=developer.environment(),
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stdout + done.stderr
