"""Every choice alone, and all of them pairwise: what is baked is complete, clean and parses."""

from __future__ import annotations

import configparser
import json
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

from tests.combinations import CHOICES, QUESTIONS, Answers, each_alone, label, pairs, pairwise
from tests.conftest import Bake

COMBINATIONS = {label(answers): answers for answers in [*each_alone(), *pairwise()]}
# The files that come and go with a choice. All others always come.
CONDITIONAL = {
    ("ci", "github"): {".github/dependabot.yml", ".github/workflows/ci.yml"},
    ("ci", "gitlab"): {".gitlab-ci.yml"},
    ("django_version", "5.2"): {"config/csp.py"},
    ("task_backend", "celery"): {
        "config/celery.py",
        "deploy/systemd/{{cookiecutter.project_slug}}-worker.service",
    },
    ("task_backend", "django-tasks"): {
        "deploy/systemd/{{cookiecutter.project_slug}}-worker.service"
    },
    ("use_docker", "yes"): {
        ".dockerignore",
        "Dockerfile",
        "compose.yaml",
        "deploy/k8s/ha/kustomization.yaml",
        "deploy/k8s/kustomization.yaml",
        "deploy/k8s/migrate.yaml",
        "deploy/k8s/network.yaml",
        "deploy/k8s/scheduler.yaml",
        "deploy/k8s/web.yaml",
    },
}
OTHER_TEXTS = {
    "project_name": "Another Name",
    "project_slug": "another_slug",
    "description": "Another sentence.",
    "author_name": "Another Person",
    "email": "another@example.org",
    "domain_name": "another.example",
    "timezone": "Asia/Tokyo",
}
MADE_BY_HOOK = {".env"}
# Where braces are the file's own language.
BRACES_WELCOME = re.compile(r"\.html$|^\.github/workflows/|\.js$|\.css$|^justfile$")

PYTHON_BLOCK = re.compile(r"^```python\n.*?^```", re.M | re.S)


@pytest.fixture(scope="module", params=COMBINATIONS.values(), ids=COMBINATIONS.keys())
def answers(request: pytest.FixtureRequest) -> Answers:
    return request.param


@pytest.fixture(scope="module")
def project(bake: Bake, answers: Answers) -> Path:
    return bake(**answers)


def files_in(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def texts(project: Path) -> dict[str, str]:
    """Relative name -> text of every file that is not a compiled catalogue."""
    return {
        path.relative_to(project).as_posix(): path.read_bytes().decode("utf-8")
        for path in sorted(project.rglob("*"))
        if path.is_file() and path.suffix != ".mo"
    }


def test_pairwise_combinations_hold_every_pair():
    met = set().union(*map(pairs, pairwise()))
    for one, choices in CHOICES.items():
        for other, others in CHOICES.items():
            if list(CHOICES).index(one) < list(CHOICES).index(other):
                assert {((one, a), (other, b)) for a in choices for b in others} <= met


def test_exactly_the_files_that_were_chosen(template: Path, project: Path, answers: Answers):
    chosen = {name: choices[0] for name, choices in CHOICES.items()} | answers
    folder = template / "{{cookiecutter.project_slug}}"
    names = files_in(folder)
    expected = {name for name in names if "{%" not in name}
    for choice in chosen.items():
        expected |= CONDITIONAL.get(choice, set())
    if chosen["use_docker"] == "yes" and chosen["task_backend"] != "inline":
        expected.add("deploy/k8s/worker.yaml")
    expected = {
        re.sub(r"\{\{ *cookiecutter.project_slug *\}\}", project.name, name) for name in expected
    }
    assert files_in(project) == expected | MADE_BY_HOOK
    assert not [path for path in project.rglob("*") if path.is_dir() and not any(path.iterdir())]


@pytest.mark.parametrize("question", QUESTIONS)
def test_every_question_changes_something(bake: Bake, question: str):
    other = OTHER_TEXTS.get(question) or CHOICES[question][1]
    default, changed = texts(bake()), texts(bake(**{question: other}))
    differing = {
        name for name in default.keys() | changed.keys() if default.get(name) != changed.get(name)
    }
    assert differing - MADE_BY_HOOK


def test_no_template_language_is_left(project: Path):
    left = [
        f"{name}:{number}: {line}"
        for name, text in texts(project).items()
        for number, line in enumerate(text.splitlines(), 1)
        if not BRACES_WELCOME.search(name)
        if re.search(r"\{\{|\{%|%\}|\{#|^\s*# ?%", line) or "cookiecutter." in line
    ]
    assert left == []
    assert not [path for path in project.rglob("*") if re.search(r"[{}%]", path.name)]


def test_a_baked_file_has_no_stray_blanks_and_ends_in_one_line_feed(project: Path):
    faults = []
    for name, text in texts(project).items():
        if re.search(r"[ \t]+$", text, re.MULTILINE):
            faults.append(f"{name}: trailing space")
        if text and not re.search(r"[^\n]\n\Z", text):
            faults.append(f"{name}: does not end in one line feed")
        if text.startswith("\n"):
            faults.append(f"{name}: starts blank")
        if not name.endswith(".py") and "\n\n\n" in PYTHON_BLOCK.sub("code", text):
            faults.append(f"{name}: two blank lines running")
        if "\r" in text or ("\t" in text and Path(name).name != "Makefile"):
            faults.append(f"{name}: tab or carriage return")
    assert faults == []


def test_every_file_parses(project: Path):
    for name, text in texts(project).items():
        parse(name, text)


def parse(name: str, text: str) -> None:
    kind = Path(name).suffix
    if kind == ".py":
        compile(text, name, "exec")
    elif kind == ".toml":
        tomllib.loads(text)
    elif kind == ".json":
        json.loads(text)
    elif kind in {".yml", ".yaml"}:
        assert list(yaml.safe_load_all(text))
    elif kind in {".conf", ".ini", ".cfg"} and "supervisor" in name:
        configparser.RawConfigParser().read_string(text)
    elif kind in {".service", ".socket", ".target", ".timer"}:
        configparser.RawConfigParser(strict=False).read_string(text)


def test_ruff_finds_nothing(project: Path):
    for command in (["check"], ["format", "--check"]):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *command, "--no-cache", "."],
            cwd=project,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stdout + done.stderr


def test_platforms_get_the_driver_of_their_database(project: Path, answers: Answers):
    app = json.loads((project / "app.json").read_text())
    (extra,) = re.findall(r"^\t--extra (\w+)", (project / "Makefile").read_text(), re.M)
    if answers.get("database") == "mysql":  # no add-on that every such platform has
        assert (extra, app.get("addons")) == ("mysql", None)
        assert app["env"]["DATABASE_URL"]["description"].startswith("mysql://")
    else:
        assert (extra, app.get("addons")) == ("postgresql", ["heroku-postgresql"])
        assert "DATABASE_URL" not in app["env"]


def test_what_compose_demands_stands_in_the_example(project: Path):
    compose = project / "compose.yaml"
    demanded = re.findall(r"\$\{(\w+):\?", compose.read_text()) if compose.exists() else []
    example = (project / ".env.example").read_text()
    assert set(re.findall(r"^#(DATABASE_PASSWORD)=", example, re.M)) == set(demanded)


def test_secrets_beside_env_are_neither_committed_nor_copied(project: Path):
    subprocess.run(["git", "init", "-q"], cwd=project, check=True)
    names = [".env", ".env.production", ".env.local", ".env.example"]
    done = subprocess.run(
        ["git", "check-ignore", *names], cwd=project, capture_output=True, text=True
    )
    shutil.rmtree(project / ".git")
    assert done.stdout.split() == names[:-1]
    ignored = project / ".dockerignore"
    if ignored.exists():
        assert {".env", ".env.*"} <= set(ignored.read_text().splitlines())


def test_no_instruction_overwrites_the_env_of_the_hook(project: Path):
    careless = re.compile(r"(?<!\[ -e \.env \] \|\| )cp \.env\.example")
    assert [name for name, text in texts(project).items() if careless.search(text)] == []
