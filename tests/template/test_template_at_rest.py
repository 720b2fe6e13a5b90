"""What can be known of the template without baking it."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.combinations import CONTEXT, QUESTIONS, ROOT

TEMPLATE = ROOT / "{{cookiecutter.project_slug}}"
# Read by cookiecutter itself or, as they stand for an answer in one line of text, by any file.
NOT_LOOKED_FOR = {"_copy_without_render", "_jinja2_env_vars", "__prompts__"}


def template_files() -> list[Path]:
    return [
        path
        for path in sorted(TEMPLATE.rglob("*"))
        if path.is_file() and not re.search(r"__pycache__|_cache/|\.sqlite3", path.as_posix())
    ]


def rendered_text() -> str:
    """All that cookiecutter renders: names and contents of files, answers, hooks."""
    files = [path for path in template_files() if path.suffix not in {".html", ".mo"}]
    files = [path for path in files if path.relative_to(TEMPLATE).parts[0] != "scheduler"]
    texts = [f"{path.relative_to(ROOT)}\n{path.read_text(encoding='utf-8')}" for path in files]
    texts.append((ROOT / "cookiecutter.json").read_text(encoding="utf-8"))
    return "\n".join(texts)


@pytest.mark.parametrize("question", QUESTIONS)
def test_every_question_and_choice_has_a_label(question: str):
    prompts, default = CONTEXT["__prompts__"], QUESTIONS[question]
    if isinstance(default, list):
        assert list(prompts[question]) == ["__prompt__", *default]
        assert all(prompts[question].values())
    else:
        assert prompts[question]


def test_no_label_without_a_question():
    assert CONTEXT["__prompts__"].keys() == QUESTIONS.keys()


def test_what_is_declared_is_used_and_what_is_used_is_declared():
    used = set(re.findall(r"cookiecutter\.(\w+)", rendered_text()))
    assert used == CONTEXT.keys() - NOT_LOOKED_FOR


def test_every_variable_stands_in_the_example_and_is_hidden_from_the_project_s_tests():
    files = ("config/settings.py", ".env.example", "tests/environment.py")
    settings, example, tests = ((TEMPLATE / name).read_text() for name in files)
    read = set(re.findall(r'env\.\w+\(\s*"(\w+)"', settings))
    assert len(read) > 20
    assert read <= set(re.findall(r"^#?(\w+)=", example, re.MULTILINE))
    assert read - {"DEBUG", "SECRET_KEY", "DATABASE_URL"} <= set(re.findall(r"\w+", tests))


def test_the_version_is_the_same_everywhere():
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    own = re.sub(r"^# %.*$", "", (TEMPLATE / "pyproject.toml").read_text(), flags=re.MULTILINE)
    assert f'version = "{version}"  # of the template' in own
    assert (TEMPLATE / "scheduler/VERSION").read_text() == f"{version}\n"
    footer = (TEMPLATE / "README.md").read_text().rpartition("\n---\n")[2]
    assert set(re.findall(r"\d+\.\d+\.\d+", footer)) == {version}
    assert f"\n## {version}" in (ROOT / "CHANGELOG.md").read_text()


def test_names_suit_every_file_system():
    names = [part for path in template_files() for part in path.relative_to(TEMPLATE).parts]
    assert [name for name in names if re.search(r'[<>:"|?*\\]', name)] == []


def test_python_compiles_where_it_lies():
    for path in [*template_files(), *sorted((ROOT / "hooks").iterdir())]:
        if path.suffix == ".py":
            compile(path.read_text(encoding="utf-8"), str(path), "exec")


def test_the_scheduler_app_holds_no_template_language_of_the_baking():
    """It is copied as it is, so that it could never come out rendered."""
    for path in (TEMPLATE / "scheduler").rglob("*"):
        if path.is_file() and "__pycache__" not in path.parts:
            assert b"cookiecutter" not in path.read_bytes(), path


@pytest.mark.parametrize("command", [["check"], ["format", "--check"]], ids=" ".join)
def test_ruff_finds_nothing(command: list[str]):
    done = subprocess.run(
        [sys.executable, "-m", "ruff", *command, "--no-cache", "."],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
