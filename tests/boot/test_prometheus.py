"""The alert rules, judged by Prometheus' own tool, and against the metrics that there are."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

RULES = "deploy/prometheus/alerts.yml"
CASES = Path(__file__).with_name("prometheus_test.yml")
needs_promtool = pytest.mark.skipif(
    not shutil.which("promtool"), reason="promtool is not installed (Debian package prometheus)"
)


def promtool(*words: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["promtool", *words], cwd=folder, capture_output=True, text=True, timeout=60
    )


@needs_promtool
def test_prometheus_accepts_the_alert_rules(baked: Path):
    done = promtool("check", "rules", RULES, folder=baked)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "7 rules found" in done.stdout


def test_each_alert_has_a_case_in_which_it_fires(baked: Path):
    (group,) = yaml.safe_load((baked / RULES).read_text())["groups"]
    cases = yaml.safe_load(CASES.read_text())["tests"]
    fired = {
        expected["alertname"]
        for case in cases
        for expected in case["alert_rule_test"]
        if expected["exp_alerts"]
    }
    assert fired == {rule["alert"] for rule in group["rules"]}


@needs_promtool
def test_each_alert_fires_and_is_silent_when_it_should(baked: Path, tmp_path: Path):
    shutil.copy(baked / RULES, tmp_path)
    shutil.copy(CASES, tmp_path)
    done = promtool("test", "rules", CASES.name, folder=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_rules_name_metrics_that_exist(baked: Path):
    from scheduler.monitoring.metrics import GAUGES

    named = set(re.findall(r"scheduler_\w+", (baked / RULES).read_text()))
    known = {f"scheduler_{name}" for name in GAUGES} | {"scheduler_runs_total"}
    assert named <= known
