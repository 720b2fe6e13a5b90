"""Run a test module of APScheduler's source distribution in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

from .sdist import unpacked

VERSION = "3.11.3"
HERE = Path(__file__).resolve().parent
TEMPLATE = HERE.parents[1] / "{{cookiecutter.project_slug}}"


def run_upstream(module: str, plugin: str, tmp_path: Path, *options: str) -> dict[str, str]:
    """Outcome ("passed", "failed", "skipped: reason") of each case by its name."""
    source = unpacked("apscheduler", VERSION)
    report = tmp_path / "report.xml"
    command = [sys.executable, "-m", "pytest", f"tests/{module}"]
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
    return {
        f"{case.get('classname')}::{case.get('name')}": _outcome(case)
        for case in ElementTree.parse(report).iter("testcase")
    }


def _outcome(case: ElementTree.Element) -> str:
    for child in case:
        if child.tag == "skipped":
            return f"skipped: {child.get('message')}"
        if child.tag in ("failure", "error"):
            return "failed"
    return "passed"
