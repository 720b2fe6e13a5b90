"""Answers that make no project are refused with a word on what is accepted; nothing is left."""

from __future__ import annotations

import itertools
import json
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from cookiecutter.exceptions import FailedHookException
from cookiecutter.generate import generate_context
from cookiecutter.prompt import prompt_for_config

from tests.combinations import CONTEXT, QUESTIONS, ROOT
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
    ("project_slug", "kombu", "such as kombu_site"),
    ("project_slug", "django_tasks_db", "a package that the project stands on"),
    ("project_slug", "django_ox", "a package that the project stands on"),
    ("project_slug", "scheduler", "such as scheduler_site"),
    ("project_slug", "config", "a package inside the project"),
    ("project_slug", "home", "a package inside the project"),
    ("project_slug", "accounts", "a package inside the project"),
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
    ("timezone", "localtime", "IANA time zone"),
    ("timezone", "Factory", "IANA time zone"),
    ("timezone", "GMT+8", "Perhaps Etc/GMT-8, whose sign is the other way round."),
    ("timezone", "UTC-03:00", "Perhaps Etc/GMT+3"),
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
def test_an_invalid_answer_is_refused_with_what_is_accepted(
    bake: Bake, capfd, tmp_path_factory, question: str, answer: str, advice: str
):
    answers = {"project_slug": "refused_project", question: answer}
    with pytest.raises(FailedHookException):
        bake(**answers)
    message = capfd.readouterr().err
    assert message.startswith("Nothing was written")
    assert f"{question}: {answer!r}" in message
    assert advice in message
    assert check_again(message, tmp_path_factory.mktemp("hook")) == ""
    assert not list(tmp_path_factory.getbasetemp().rglob("refused_project"))


def check_again(message: str, folder: Path) -> str:
    """What the hook complains of in the answers that the message says to paste."""
    words = shlex.split(message.partition("to paste:\n\n")[2])
    assert words[:2] == ["cookiecutter", "--no-input"]
    answers = dict(word.split("=", 1) for word in words if re.match(r"[a-z_]+=", word))
    assert answers.keys() == QUESTIONS.keys()
    context = generate_context(str(ROOT / "cookiecutter.json"), extra_context=answers)
    return run_hook(prompt_for_config(context, no_input=True), folder).stderr


def run_hook(answers: dict[str, Any], folder: Path) -> subprocess.CompletedProcess[str]:
    """As cookiecutter renders and runs it."""
    text = json.dumps(answers).replace("'", "\\u0027")
    hook = folder / "hook.py"
    hook.write_text(HOOK.replace("{{ cookiecutter | tojson }}", text), encoding="utf-8")
    return subprocess.run([sys.executable, str(hook)], capture_output=True, text=True)


def test_the_corrected_command_can_be_pasted(template: Path, tmp_path: Path):
    answers = ('project_name=It\'s "mine"', "timezone=berlin", "database=postgresql")
    refused = cookiecutter(str(template), *answers, "email=Me <me@example.org>", folder=tmp_path)
    assert refused.returncode == 1
    assert list(tmp_path.iterdir()) == []
    line = refused.stderr.partition("to paste:\n\n")[2].splitlines()[0]
    done = subprocess.run(
        ["sh", "-ec", f"{Path(sys.executable).parent}/{line}"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    (project,) = tmp_path.iterdir()
    settings = (project / "config" / "settings.py").read_text()
    assert 'PROJECT_NAME = "It\'s \\u0022mine\\u0022"' in settings
    assert 'default="Europe/Berlin"' in settings
    assert f"postgres:///{project.name}" in settings
    assert "me@example.org" in settings


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
        ("timezone", "US/Pacific"),
        ("timezone", "Etc/GMT+8"),
        ("domain_name", "localhost"),
        ("domain_name", "a-b.c1.example"),
        ("email", "o'brien+jobs@sub.example.com"),
    ],
)
def test_a_valid_answer_is_accepted(bake: Bake, question: str, answer: str):
    assert bake(**{question: answer}).is_dir()


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("database", "oracle"),
        ("django_version", "4.2"),
        ("task_backend", "rq"),
        ("ci", "GitHub"),
        ("use_docker", "maybe"),
    ],
)
def test_an_impossible_choice_is_refused(bake: Bake, question: str, answer: str):
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


def replay(template: Path, folder: Path, **edits: object) -> subprocess.CompletedProcess[str]:
    """Bake from a replay file that cookiecutter wrote, and somebody edited."""
    config = folder / "config.yaml"
    config.write_text(f"replay_dir: {folder}\n")
    saved = folder / "saved"
    saved.mkdir()
    words = ("--config-file", str(config), str(template), "project_slug=saved_slug")
    done = cookiecutter(*words, folder=saved)
    assert done.returncode == 0, done.stderr
    file = folder / f"{template.name}.json"
    answers = json.loads(file.read_text())
    answers["cookiecutter"] |= edits
    file.write_text(json.dumps(answers))
    words = ("--replay-file", str(file), "--output-dir", str(folder), str(template))
    return subprocess.run(
        [sys.executable, "-m", "cookiecutter", *words], capture_output=True, text=True
    )


@pytest.mark.parametrize(
    ("edits", "words"),
    [
        ({"project_slug": "other"}, ["__deploy_root:", 'it is "/srv/other"']),
        ({"django_version": "6.1"}, ["__requires_python:"]),
        ({"task_backend": "celery"}, ["__worker:", "-m celery -A config worker"]),
        ({"task_backend": "rq"}, ["task_backend: 'rq'", "inline, celery, django-tasks"]),
        ({"project_name": "Other"}, ["__title:", "__quoted:"]),
        ({"email": "other@example.org"}, ["__quoted:"]),
        ({"database": "oracle"}, ["database: 'oracle'", "sqlite, postgresql, mysql"]),
        ({"use_docker": "no"}, ["use_docker: 'no'", "Accepted are false, true"]),
        ({"project_slug": "Not-A-Slug"}, ["such as not_a_slug"]),
    ],
)
def test_an_edited_replay_file_is_refused(
    template: Path, tmp_path: Path, edits: dict[str, object], words: list[str]
):
    done = replay(template, tmp_path, **edits)
    assert done.returncode == 1
    assert all(word in done.stderr for word in words), done.stderr
    assert not list(tmp_path.glob("[!s]*/manage.py"))


def test_a_replay_file_that_is_edited_as_it_says_works(template: Path, tmp_path: Path):
    """The complaint names the values that are missing."""
    edits: dict[str, object] = {"project_slug": "other", "django_version": "6.1"}
    for attempt in ("first", "second"):
        folder = tmp_path / attempt
        folder.mkdir()
        done = replay(template, folder, **edits)
        said = re.findall(r"^  (\w+): .*\n.* it is (.*)\.$", done.stderr, re.MULTILINE)
        edits |= {name: json.loads(value) for name, value in said}
    assert done.returncode == 0, done.stderr
    text = (tmp_path / "second" / "other" / "pyproject.toml").read_text()
    assert "django~=6.1.0" in text
    assert 'requires-python = ">=3.12"' in text


def test_the_hook_knows_all_choices():
    answers = json.dumps(CONTEXT).replace("'", "\\u0027")
    names: dict = {"__name__": "hook"}
    exec(HOOK.replace("{{ cookiecutter | tojson }}", answers), names)
    assert names["CHOICES"] == {
        question: [False, True] if isinstance(default, bool) else default
        for question, default in CONTEXT.items()
        if question[0] != "_" and not isinstance(default, str)
    }


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
    done = run_hook(CONTEXT, tmp_path)
    said = "  cookiecutter 2 or newer is needed: pipx run cookiecutter ...\n"
    assert (done.returncode, done.stderr) == (1, f"Nothing was written, because of this:\n\n{said}")
