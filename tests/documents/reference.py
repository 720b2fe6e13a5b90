"""``python -m tests.documents.reference`` writes a project's settings and commands pages.

They are made from the code, so that they cannot go stale; a test compares.
"""

from __future__ import annotations

import ast
import inspect
import os
import re
import textwrap
from argparse import ArgumentParser, _SubParsersAction
from collections.abc import Iterator
from dataclasses import MISSING, fields

from tests.combinations import ROOT

DOCS = ROOT / "{{cookiecutter.project_slug}}" / "docs"
COMMANDS = ("runapscheduler", "scheduler", "import_django_apscheduler")


def settings_page() -> str:
    """Return ``docs/settings.md``: every ``APSCHEDULER_...`` with its default and meaning."""
    from scheduler.conf import PREFIX, Conf

    meanings = _docstrings(Conf)
    rows = []
    for field in fields(Conf):
        default = field.default if field.default is not MISSING else field.default_factory()  # type: ignore[misc]
        rows.append(f"| `{PREFIX}{field.name}` | `{default!r}` | {meanings[field.name]} |")
    return "\n".join(
        [
            "# Settings of the scheduler",
            "",
            "Each is a name in `config/settings.py`. Durations are seconds. What differs between",
            "machines (`DATABASE_URL`, `SECRET_KEY`, `ALERTS` ...) comes from the environment or",
            "`.env`, and is listed in `.env.example`. `manage.py check` names an unknown setting.",
            "",
            "| setting | default | meaning |",
            "|---|---|---|",
            *rows,
            "",
        ]
    )


def commands_page() -> str:
    """Return ``docs/commands.md``: what ``--help`` of every command and subcommand says."""
    sections = []
    for name in COMMANDS:
        parser = _parser(name)
        sections += _section(f"## {name}", parser)
        for word, subparser in _subcommands(parser):
            sections += _section(f"### {name} {word}", subparser)
    head = ["# Commands", "", "Each is run as `python manage.py ...`, and has `--help`.", ""]
    return "\n".join([*head, *sections]).rstrip() + "\n"


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    import django

    django.setup()
    for name, text in (("settings.md", settings_page()), ("commands.md", commands_page())):
        (DOCS / name).write_text(text, encoding="utf-8")
        print(DOCS / name)


def _docstrings(model: type) -> dict[str, str]:
    """The string below each field, which Python itself drops."""
    (body,) = ast.parse(textwrap.dedent(inspect.getsource(model))).body
    assert isinstance(body, ast.ClassDef)
    found = {}
    for field, text in zip(body.body, body.body[1:], strict=False):
        if isinstance(field, ast.AnnAssign) and isinstance(text, ast.Expr):
            words = " ".join(ast.literal_eval(text.value).split())
            found[ast.unparse(field.target)] = words.replace("``", "`")
    return found


def _parser(name: str) -> ArgumentParser:
    from django.core.management import load_command_class

    command = load_command_class("scheduler", name)
    return command.create_parser("manage.py", name)


def _subcommands(parser: ArgumentParser) -> Iterator[tuple[str, ArgumentParser]]:
    for action in parser._actions:
        if isinstance(action, _SubParsersAction):
            yield from action.choices.items()


def _section(title: str, parser: ArgumentParser) -> list[str]:
    from django.core.management.base import DjangoHelpFormatter

    rows = []
    for action in parser._actions:
        common = set(action.option_strings) & DjangoHelpFormatter.show_last
        if action.help is None or isinstance(action, _SubParsersAction) or common:
            continue
        if "--help" in action.option_strings:
            continue
        names = ", ".join(f"`{name}`" for name in action.option_strings or [action.dest])
        words = re.sub(r"\s+", " ", action.help % {**vars(action), "prog": parser.prog})
        rows.append(f"| {names} | {words.replace('|', '&#124;')} |")
    described = [title, "", " ".join((parser.description or "").split()), ""]
    return [*described, *(["| argument | meaning |", "|---|---|", *rows, ""] if rows else [])]


if __name__ == "__main__":
    main()
