"""Answers that make no project are refused with a word on what is accepted; nothing is left."""

from __future__ import annotations

import itertools
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from cookiecutter.exceptions import FailedHookException

from tests.combinations import CONTEXT, ROOT
from tests.conftest import Bake

HOOK = (ROOT / "hooks" / "pre_gen_project.py").read_text(encoding="utf-8")
REFUSED = [
    ("project_slug", "my-app", "such as my_app"),
    ("project_slug", "My_App", "such as my_app"),
    ("project_slug", "3d", "such as d"),
    ("project_slug", "a__b", "single underscores"),
    ("project_slug", "app_", "single underscores"),
    ("project_slug", "a" * 33, "1 to 32"),
    ("project_slug", "projekt\u00e9", "such as projekt"),
    ("project_slug", "print(1)", "such as print_1"),
    ("project_slug", "x\n", "such as x"),
    ("project_slug", "class", "a keyword of Python"),
    ("project_slug", "json", "a module of Python's standard library"),
    ("project_slug", "test", "a module of Python's standard library"),
    ("project_slug", "django", "a package that the project stands on"),
    ("project_slug", "apscheduler", "a package that the project stands on"),
    ("project_slug", "scheduler", "such as scheduler_site"),
    ("project_slug", "config", "a package inside the project"),
    ("project_slug", "home", "a package inside the project"),
    ("project_slug", "tests", "a package inside the project"),
    ("project_slug", "postgres", "an account or database"),
    ("project_slug", "staff", "an account or database"),
    ("project_slug", "public", "an account or database"),
    ("project_slug", "rescue", "a target of systemd itself"),
    ("project_slug", "pg_app", "Perhaps my_pg_app."),
    ("project_name", "", "1 to 80 characters"),
    ("project_name", "   ", "1 to 80 characters"),
    ("project_name", "\u2022\u2022\u2022", "a letter or a digit"),
    ("project_name", "n" * 81, "1 to 80 characters"),
    ("project_name", "Two\nlines", "One line of text"),
    ("project_name", "Bell\x07", "control characters"),
    ("description", "Bell\x07", "without control characters"),
    ("author_name", "Delete\x7f", "without control characters"),
    ("timezone", "Berlin", "Perhaps Europe/Berlin."),
    ("timezone", "europe/berlin", "Perhaps Europe/Berlin."),
    ("timezone", "new york", "Perhaps America/New_York."),
    ("timezone", "Europe/Berlni", "Perhaps Europe/Berlin."),
    ("timezone", "../../etc/passwd", "IANA time zone"),
    ("timezone", "", "IANA time zone"),
    ("domain_name", "https://example.org/", "Perhaps example.org."),
    ("domain_name", "example.org:8000", "Perhaps example.org."),
    ("domain_name", "Example.org", "Perhaps example.org."),
    ("domain_name", "b\u00fccher.example", "Perhaps xn--bcher-kva.example."),
    ("domain_name", "under_score.example", "A host name"),
    ("domain_name", "-a.example", "A host name"),
    ("domain_name", "a..example", "A host name"),
    ("domain_name", "a.example\n", "A host name"),
    ("domain_name", "", "A host name"),
    ("email", "nobody", "An e-mail address"),
    ("email", "Me <me@example.com>", "without a name around it"),
    ("email", "a@b@example.com", "An e-mail address"),
    ("email", "me@example.com\nBcc: all@example.com", "An e-mail address"),
]


@pytest.mark.parametrize(("question", "answer", "advice"), REFUSED)
def test_refused(bake: Bake, capfd, tmp_path_factory, question: str, answer: str, advice: str):
    answers = {"project_slug": "refused_project", question: answer}
    with pytest.raises(FailedHookException):
        bake(**answers)
    message = capfd.readouterr().err
    assert message.startswith("Nothing was written")
    assert f"{question}: {answer!r}" in message
    assert advice in message
    assert not list(tmp_path_factory.getbasetemp().rglob("refused_project"))


def test_all_complaints_are_told_at_once(bake: Bake, capfd):
    with pytest.raises(FailedHookException):
        bake(project_slug="bad-slug", timezone="Mars", email="me", domain_name="a b")
    message = capfd.readouterr().err
    assert re.findall(r"^  (\w+):", message, re.MULTILINE) == [
        "project_slug",
        "domain_name",
        "email",
        "timezone",
    ]


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("project_slug", "a1_b2"),
        ("project_slug", "a" * 32),
        ("project_name", "\u6771\u4eac"),
        ("timezone", "America/Argentina/Buenos_Aires"),
        ("domain_name", "localhost"),
        ("domain_name", "a-b.c1.example"),
        ("email", "o'brien+jobs@sub.example.com"),
    ],
)
def test_accepted(bake: Bake, question: str, answer: str):
    assert bake(**{question: answer}).is_dir()


@pytest.mark.parametrize(
    ("question", "answer"),
    [("database", "oracle"), ("django_version", "4.2"), ("ci", "GitHub"), ("use_docker", "maybe")],
)
def test_impossible_choice(bake: Bake, question: str, answer: str):
    with pytest.raises(ValueError, match=rf"{answer} provided for .*{question}"):
        bake(**{question: answer})


def test_bake_refuses_an_unknown_question(bake: Bake):
    with pytest.raises(TypeError, match="no question named datbase"):
        bake(datbase="postgresql")


def cookiecutter(*words: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "cookiecutter", "--no-input", "--output-dir", str(folder), *words],
        capture_output=True,
        text=True,
    )


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux shows command lines")
def test_a_misspelt_question_on_the_command_line(template: Path, tmp_path: Path):
    done = cookiecutter(str(template), "datbase=postgresql", "ci=none", folder=tmp_path)
    assert done.returncode == 1
    assert "datbase: no question has this name. Perhaps database." in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_well_spelt_questions_on_the_command_line(template: Path, tmp_path: Path):
    folder = tmp_path / "a=b"
    folder.mkdir()
    done = cookiecutter(str(template), "database=postgresql", "description=x=y", folder=folder)
    assert done.returncode == 0, done.stderr
    assert (folder / "my_project").is_dir()


def test_no_dependency_can_be_taken_as_a_slug():
    project = ROOT / "{{cookiecutter.project_slug}}" / "pyproject.toml"
    # A line that begins with "# %" is a comment to TOML as well.
    tables = tomllib.loads(re.sub(r"\{%.*?%\}|\{\{.*?\}\}", "", project.read_text()))
    wanted = [
        *tables["project"]["dependencies"],
        *itertools.chain(*tables["project"]["optional-dependencies"].values()),
        *itertools.chain(*tables["dependency-groups"].values()),
    ]
    names = {re.match(r"[\w-]+", line)[0].lower().replace("-", "_") for line in wanted}
    assert names <= set(re.findall(r"\w+", HOOK))


@pytest.mark.parametrize(
    ("listing", "name"),
    [
        ("/usr/share/base-passwd/passwd.master", r"^(\w+):"),
        ("/usr/share/base-passwd/group.master", r"^(\w+):"),
        ("/var/lib/dpkg/info/systemd.list", r"/system/(\w+)\.target$"),
    ],
)
def test_no_name_of_the_system_can_be_taken_as_a_slug(listing: str, name: str):
    if not Path(listing).exists():
        pytest.skip(f"{listing} is only there on Debian and Ubuntu")
    names = re.findall(name, Path(listing).read_text(), re.MULTILINE)
    assert len(names) > 10
    assert {name for name in names if name[0] != "_"} <= set(re.findall(r'"(\w+)"', HOOK))


def test_an_old_cookiecutter_is_refused_in_a_line(tmp_path: Path):
    """It leaves private answers as they stand in cookiecutter.json."""
    answers = json.dumps(CONTEXT).replace("'", "\\u0027")
    hook = tmp_path / "hook.py"
    hook.write_text(HOOK.replace("{{ cookiecutter | tojson }}", answers), encoding="utf-8")
    done = subprocess.run([sys.executable, str(hook)], capture_output=True, text=True)
    said = "Nothing was written, because of this:\n\n  cookiecutter 2 or newer is needed: "
    assert (done.returncode, done.stderr.partition("pipx")[0]) == (1, said)
