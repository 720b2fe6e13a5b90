"""Python interpreters of this machine, beside the one that runs the tests."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path


def interpreter(*versions: str) -> Path | None:
    """The first of these versions ("3.12") that is installed and starts, from PATH or pyenv."""
    for version in versions:
        running = "{}.{}".format(*sys.version_info)
        candidates = [Path(sys.executable)] if version == running else []
        if found := shutil.which(f"python{version}"):
            candidates.append(Path(found))
        candidates += sorted(Path.home().glob(f".pyenv/versions/{version}.*/bin/python"))
        for candidate in candidates:
            if starts(candidate):
                return candidate
    return None


def starts(python: Path) -> bool:
    """A pyenv shim lies in PATH even for versions that are not installed."""
    return not subprocess.run([python, "-c", "import venv"], capture_output=True).returncode
