"""What the documents point at exists, their Python is Python, and their commands are run."""

from __future__ import annotations

import re
import tomllib
from itertools import repeat
from pathlib import Path

import pytest
from django.core.management import CommandError, get_commands, load_command_class

from tests.combinations import CHOICES, ROOT
from tests.conftest import Bake

OURS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]


PAUSES = "management/test_bulk_subcommands.py::test_all_pauses_the_cluster_and_no_job"
TUTORIAL = "documents/test_tutorial.py::test_who_follows_the_tutorial_has_an_app_whose_tests_pass"
OUTGROWING = (
    "boot/test_outgrowing.py::test_five_commands_lead_from_an_inline_project_to_two_celery_workers"
)
OX = "boot/test_outgrowing.py::test_django_ox_takes_the_place_of_django_tasks_db"
# Which test runs a command; those of docs/deploy.md are accounted for in boot/test_deploy_guide.py.
RUN_BY = {
    "make run": "boot/test_honcho.py::test_make_run",
    "make lint": "template/test_lanes.py::test_lint_as_its_readme_says",
    "make upgrade": "template/test_packages.py::test_upgrade_tells_what_moved",
    "make demo": "template/test_demo_boot.py::test_two_web_workers_and_one_scheduler",
    "python -m gunicorn": "boot/test_errors.py::test_pages_without_static_files_are_not_ready",
    "python manage.py scheduler pause --all": PAUSES,
    "python manage.py scheduler resume --all": PAUSES,
    "python manage.py migrate": "boot/test_two_schedulers.py::test_the_ledger_stays_exact",
    "python manage.py import_django_apscheduler": "importer/test_importing.py"
    "::test_people_are_told_job_by_job",
    "python manage.py scheduler status": "management/test_output.py"
    "::test_status_before_anybody_ever_led_is_made_of_sentences",
    ".venv/bin/python manage.py": TUTORIAL,
    ".venv/bin/python -m pytest tests/test_reminders.py": TUTORIAL,
    ".venv/bin/uv add --python .venv 'celery[redis]": OUTGROWING,
    "cat > config/celery.py <<'END'": OUTGROWING,
    "echo 'APSCHEDULER_WORKERS=celery' >> .env": OUTGROWING,
    ".venv/bin/uv add --python .venv 'django-ox": OX,
    "cat >> config/settings.py <<'END'": OX,
    "env REMAP_SIGTERM=SIGQUIT .venv/bin/python -m celery": OUTGROWING,
    "echo 'APSCHEDULER_WORKERS=django-tasks' >> .env": "boot/test_workers.py"
    "::test_the_setting_does_what_the_answer_does_without_baking_anew",
    "make docs": "documents/test_site.py::test_the_site_builds_without_a_warning",
    "python manage.py runapscheduler": "boot/test_two_schedulers.py::test_the_ledger_stays_exact",
}
NOT_RUN = {
    "pipx run cookiecutter": "needs the published repository; each test bakes a copy",
    "cd my_project": "changes nothing by itself",
    "make admin": "asks a person for a password",
    "make test": "runs this test; that of a project is run by template/test_lanes.py",
    "make check": "is make lint and make test, one after the other",
    "make smoke": "takes minutes; continuous integration runs it",
    "POSTGRESQL_URL=": "runs this test, on servers that are not everywhere",
    "TEST_DATABASE_URL=": "runs this test, on a server that is not everywhere",
    "sudo ": "would change this machine",
    "createdb ": "would make a database on the server that the tests use",
    ".venv/bin/uv add --python .venv 'django-tasks-db": "needs an index of packages; the package is"
    " that of the extra",
    ".venv/bin/python -m pip install -e": "needs an index of packages; the extras are those of"
    " pyproject.toml, see test_every_extra_exists",
}


@pytest.fixture(scope="module")
def documents(bake: Bake) -> list[Path]:
    """The template's own, and those of a project."""
    project = bake(use_docker="yes")
    return [*OURS, project / "README.md", *sorted((project / "docs").rglob("*.md"))]


def test_links_lead_somewhere(documents: list[Path]):
    dead = [
        f"{document}: {target}"
        for document in documents
        for target in re.findall(r"\]\(([^)#\s]+)", document.read_text(encoding="utf-8"))
        if "://" not in target and not (document.parent / target).exists()
    ]
    assert dead == []


def test_every_make_target_exists(documents: list[Path]):
    makefiles = [ROOT / "Makefile", ROOT / "{{cookiecutter.project_slug}}" / "Makefile"]
    rules = "\n".join(makefile.read_text(encoding="utf-8") for makefile in makefiles)
    targets = set(re.findall(r"^([a-z]+):", rules, re.MULTILINE))
    for document in documents:
        code = re.findall(r"```sh\n(.*?)```|`([^`\n]+)`", document.read_text(), re.DOTALL)
        lines = "\n".join(block or span for block, span in code)
        assert set(re.findall(r"(?:^|\s)make ([a-z]+)", lines)) <= targets, document


def test_python_compiles(documents: list[Path]):
    found = 0
    for document in documents:
        for block in re.findall(r"```python\n(.*?)```", document.read_text(), re.DOTALL):
            compile(block, str(document), "exec")
            found += 1
    assert found >= 4


def commands(document: Path) -> list[str]:
    """The lines of all ``sh`` blocks, without comments and the texts of here-documents."""
    text = re.sub(r"(<<'END')\n.*?^END$", r"\1", document.read_text(), flags=re.M | re.S)
    blocks = re.findall(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    lines = (re.sub(r"(^|\s)#.*", "", line).strip() for line in "\n".join(blocks).splitlines())
    return [line for line in lines if line]


@pytest.mark.parametrize("database", CHOICES["database"])
def test_every_command_is_run_or_says_why_not(bake: Bake, database: str):
    project = bake(use_docker="yes", database=database)
    others = [path for path in sorted((project / "docs").glob("*.md")) if path.stem != "deploy"]
    found = [
        (document, line)
        for document in [*OURS, project / "README.md", *others]
        for line in commands(document)
    ]
    left = [
        f"{document.name}: {line}"
        for document, line in found
        if not any(line.startswith(start) for start in [*RUN_BY, *NOT_RUN])
    ]
    assert left == []
    if database == "postgresql":  # whose README says all of them
        lines = [line for _, line in found]
        assert [
            s for s in [*RUN_BY, *NOT_RUN] if not any(map(str.startswith, lines, repeat(s)))
        ] == []


IN_A_LINE = re.compile(r"`(?:(?:\.venv/bin/)?python )?manage\.py ([a-z_]+)([^`\n]*)`")
FROM_PACKAGES = {"axes_reset"}
OURS_TO_PARSE = ("scheduler", "runapscheduler", "import_django_apscheduler")


def test_commands_within_a_line_exist_with_their_options(documents: list[Path]):
    """Such as in a sentence: with the words that stand there, if they are whole."""
    folders = (ROOT / "{{cookiecutter.project_slug}}").glob("*/management/commands/*.py")
    known = {*get_commands(), *(path.stem for path in folders), *FROM_PACKAGES}
    found = [
        (document, name, words.split())
        for document in documents
        for name, words in IN_A_LINE.findall(document.read_text(encoding="utf-8"))
    ]
    assert len(found) > 20
    for document, name, words in found:
        assert name in known, (document, name)
        if words and "..." not in words and name in OURS_TO_PARSE:
            error = refusal(name, words)
            # A sentence may leave out an id.
            assert not error or "are required" in error, (document, name, words, error)


def refusal(name: str, words: list[str]) -> str:
    """Return what the command's parser says of the words; empty if it takes them."""
    try:
        load_command_class("scheduler", name).create_parser("manage.py", name).parse_args(words)
    except CommandError as error:
        return str(error)
    return ""


def test_the_tests_that_run_them_are_there():
    for where in RUN_BY.values():
        file, _, name = where.partition("::")
        assert f"def {name}(" in (ROOT / "tests" / file).read_text(), where


def test_every_extra_exists(documents: list[Path]):
    (project,) = {path.parent for path in documents if (path.parent / "manage.py").exists()}
    tables = tomllib.loads((project / "pyproject.toml").read_text())["project"]
    named = {
        extra
        for document in documents
        for extra in re.findall(r"'\.\[(\w+)\]'", document.read_text())
    }
    assert {"sentry", "metrics"} <= named
    assert named <= tables["optional-dependencies"].keys()
