"""Run a test module of a source distribution in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

from .sdist import unpacked

APSCHEDULER = ("apscheduler", "3.11.3")
HERE = Path(__file__).resolve().parent
TEMPLATE = HERE.parents[2] / "{{cookiecutter.project_slug}}"


def run_upstream(
    module: str,
    plugin: str,
    tmp_path: Path,
    *options: str,
    project: tuple[str, str] = APSCHEDULER,
    folder: str = "",
    python: str = sys.executable,
) -> dict[str, str]:
    """Return the outcome ("passed", "failed", "skipped: reason") of each case by its name.

    Args:
        module: where its cases are, below ``tests/``.
        plugin: of pytest, which puts our classes in the place of theirs.
        options: of pytest.
        project: name and version of the distribution.
        folder: of the distribution, from which its tests import each other.
        python: the interpreter, with all that the plugin imports.
    """
    source = unpacked(*project) / folder
    report = tmp_path / "report.xml"
    tests = "tests/" if not folder else ""
    command = [python, "-m", "pytest", f"{tests}{module}"]
    command += ["-p", plugin, "-p", "no:cacheprovider", "-q", "--override-ini=addopts="]
    command += ["--ds=upstream_settings", f"--junit-xml={report}", *options]
    paths = [str(source), str(TEMPLATE), str(HERE / "plugins")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
    environment.pop("DJANGO_SETTINGS_MODULE", None)
    done = subprocess.run(
        command, cwd=source, env=environment, capture_output=True, text=True, timeout=900
    )
    assert report.exists(), done.stdout + done.stderr
    print(done.stdout[-20_000:])
    outcomes: dict[str, str] = {}
    for case in ElementTree.parse(report).iter("testcase"):
        name = f"{case.get('classname')}::{case.get('name')}"
        if outcomes.get(name) != "failed":  # a subtest is a case of the same name
            outcomes[name] = _outcome(case)
    return outcomes


def _outcome(case: ElementTree.Element) -> str:
    for child in case:
        if child.tag == "skipped":
            return f"skipped: {child.get('message')}"
        if child.tag in ("failure", "error"):
            return "failed"
    return "passed"
