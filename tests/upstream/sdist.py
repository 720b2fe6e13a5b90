"""Source distributions from PyPI carry their projects' tests: fetched, and never committed."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
from pathlib import Path

CACHE = (
    Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "apscheduler-template-tests"
)


def unpacked(name: str, version: str) -> Path:
    """The directory of the unpacked source distribution."""
    directory = CACHE / f"{name}-{version}"
    if not directory.is_dir():
        CACHE.mkdir(parents=True, exist_ok=True)
        with tarfile.open(_downloaded(name, version)) as archive:
            # Python 3.11.2, as in Debian 12, knows no filters yet.
            archive.extractall(
                CACHE, **({"filter": "data"} if hasattr(tarfile, "data_filter") else {})
            )
    return directory


def _downloaded(name: str, version: str) -> Path:
    archive = CACHE / f"{name}-{version}.tar.gz"
    if not archive.exists():
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
        options = ["--no-binary", ":all:", "--dest", str(CACHE)]
        subprocess.run([*command, *options, f"{name}=={version}"], check=True)
    return archive
