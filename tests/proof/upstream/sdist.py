"""Source distributions from PyPI carry their projects' tests: fetched, and never committed."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import tempfile
from contextlib import suppress
from pathlib import Path

CACHE = (
    Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "apscheduler-template-tests"
)


def unpacked(name: str, version: str) -> Path:
    """The directory of the unpacked source distribution."""
    directory = CACHE / f"{name}-{version}"
    if not directory.is_dir():
        CACHE.mkdir(parents=True, exist_ok=True)
        # Whole or not at all: another worker may fetch the same at the same time.
        with tempfile.TemporaryDirectory(dir=CACHE) as folder:
            with tarfile.open(_downloaded(name, version, folder)) as archive:
                # Python 3.11.2, as in Debian 12, knows no filters yet.
                archive.extractall(
                    folder, **({"filter": "data"} if hasattr(tarfile, "data_filter") else {})
                )
            with suppress(OSError):
                (Path(folder) / directory.name).rename(directory)
    return directory


def _downloaded(name: str, version: str, folder: str) -> Path:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
    # Django's tests of its Tasks API also run over the backport, on an older Python.
    options = ["--no-binary", ":all:", "--ignore-requires-python", "--dest", folder]
    subprocess.run([*command, *options, f"{name}=={version}"], check=True)
    return Path(folder) / f"{name}-{version}.tar.gz"
