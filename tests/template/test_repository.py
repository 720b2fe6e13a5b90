"""What surrounds the template: continuous integration and its stages."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

from tests.combinations import CONTEXT, ROOT
from tests.conftest import Bake

README = ROOT / "README.md"
RUN = ROOT / ".ci" / "run"
WORKFLOW = ROOT / ".github" / "workflows" / "ci.yml"


def test_every_stage_of_the_workflow_is_one_of_ci_run():
    stages = re.search(r'^STAGES="(.*)"$', RUN.read_text(encoding="utf-8"), re.MULTILINE)
    assert stages
    matrix = yaml.safe_load(WORKFLOW.read_text(encoding="utf-8"))["jobs"]["stage"]["strategy"]
    named = {*matrix["matrix"]["stage"], *(more["stage"] for more in matrix["matrix"]["include"])}
    assert named == set(stages[1].split())


def test_an_unknown_stage_is_refused_before_anything_is_installed():
    done = subprocess.run([RUN, "tests-of-all"], capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr.startswith("No stage tests-of-all; there are: lint ")
    assert done.stdout == ""


@pytest.mark.parametrize("whose", ["the template's", "a project's"])
def test_workflows_have_no_known_weakness(whose: str, bake: Bake):
    """Unpinned actions, tokens that linger, templates in scripts: zizmor knows them."""
    root = ROOT if whose == "the template's" else bake(ci="github", use_docker="yes")
    zizmor = Path(sys.executable).with_name("zizmor")
    workflows = sorted((root / ".github").rglob("*.yml"))
    assert workflows
    done = subprocess.run(
        [zizmor, "--offline", "--no-progress", "--collect=all", root / ".github"],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_badges_of_the_readme_name_what_the_template_supports():
    badges = re.findall(r"^\[!\[(.*?)\]\((\S+)\)\]\((\S+)\)$", README.read_text(), re.MULTILINE)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    djangos = CONTEXT["django_version"]
    assert [text for text, _, _ in badges] == [
        "CI",
        f"Python {project['requires-python'].removeprefix('>=')} or newer",
        f"Django {' or '.join(djangos)}",
        f"Version {project['version']}",
        f"Licence {project['license']}",
    ]
    for text, image, link in badges[1:]:
        for version in re.findall(r"\d[\d.]*", text):
            assert version in image
        assert (ROOT / link).is_file(), link
    assert WORKFLOW.name in badges[0][1]
