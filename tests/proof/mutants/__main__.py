"""``python -m tests.proof.mutants``: in a copy of the tree, one mutant after another."""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.settings import DATABASE_URL, ROOT, TEMPLATE

from .mutants import MUTANTS, Mutant

APP = Path(TEMPLATE.name) / "scheduler"
PASSED, FAILED = 0, 1


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.proof.mutants", description=__doc__)
    parser.add_argument("--only", default="", help="mutants whose name contains this")
    only = parser.parse_args().only
    wanted = [mutant for mutant in MUTANTS if only in mutant.name]
    has_server = not DATABASE_URL.startswith("sqlite")
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        tree = _copy(Path(folder))
        survivors = sum(not _dies(mutant, tree, has_server) for mutant in wanted)
    print(f"{len(wanted)} mutants, {survivors} survived")
    return int(survivors > 0)


def _dies(mutant: Mutant, tree: Path, has_server: bool) -> bool:
    """Whether its test passes without it and fails with it."""
    test = mutant.test.rpartition("::")[2]
    if mutant.server and not has_server:
        print(f"left out  {mutant.name}: SQLite has one lock; give TEST_DATABASE_URL", flush=True)
        return True
    if mutant.file_database and has_server:
        print(
            f"left out  {mutant.name}: a server has no file; leave TEST_DATABASE_URL out",
            flush=True,
        )
        return True
    with _applied(mutant, tree):
        code = _run(mutant.test, tree)
    verdict = {FAILED: "killed", PASSED: "SURVIVED"}.get(code, f"BROKEN ({code})")
    print(f"{verdict:9} {mutant.name}: {test}", flush=True)
    return code == FAILED


@contextmanager
def _applied(mutant: Mutant, tree: Path) -> Iterator[None]:
    path = tree / APP / mutant.file
    text = path.read_text()
    if mutant.old not in text:
        raise LookupError(f"{mutant.file} no longer says {mutant.old!r}: bring the mutant up to it")
    path.write_text(text.replace(mutant.old, mutant.new, 1))
    try:
        yield
    finally:
        path.write_text(text)


def _run(test: str, tree: Path) -> int:
    command = [sys.executable, "-B", "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", test]
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(command, cwd=tree, env=environment, capture_output=True).returncode


def _copy(folder: Path) -> Path:
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, names.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    return folder


if __name__ == "__main__":
    sys.exit(main())
