"""``manage.py scheduler``: jobs and executions from a shell or a script."""

from __future__ import annotations

import getpass
import json
from argparse import RawDescriptionHelpFormatter
from types import ModuleType
from typing import Any

from apscheduler.jobstores.base import JobLookupError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.utils import Error as DatabaseError

from ... import commands
from ...changes import changed_by
from ...commands.answer import EXIT_CODES, FAILED, UNKNOWN
from ...errors import ExecutionLookupError

ERRORS = (LookupError, TypeError, ValueError, RuntimeError, DatabaseError)
"""What the client and the database raise; anything else is a mistake of ours, with a traceback."""


class Command(BaseCommand):
    help = "Look at and change scheduled jobs. " + EXIT_CODES

    def add_arguments(self, parser: CommandParser) -> None:
        subparsers = parser.add_subparsers(dest="subcommand", required=True, metavar="subcommand")
        for name, module in sorted(commands.found().items()):
            subparser = subparsers.add_parser(name, help=module.HELP, description=module.HELP)
            subparser.formatter_class = RawDescriptionHelpFormatter
            subparser.add_argument("--json", action="store_true", help="answer in JSON")
            if _signed(module):
                subparser.add_argument("--by", help="who does it, for the record (the login name)")
            module.add_arguments(subparser)

    def handle(self, *args: Any, **options: Any) -> None:
        module = commands.found()[options["subcommand"]]
        if _signed(module):
            options["by"] = options["by"] or _login()
        try:
            with changed_by(options.get("by", "")):
                answer = module.run(options)
        except ERRORS as error:
            self._refuse(error, options["json"])
            return
        if options["json"]:
            self.stdout.write(json.dumps(answer.data, indent=2, ensure_ascii=False, default=str))
        else:
            self.stdout.write("\n".join(answer.lines))
        if answer.code:
            raise SystemExit(answer.code)

    def _refuse(self, error: Exception, as_json: bool) -> None:
        unknown = isinstance(error, (JobLookupError, ExecutionLookupError))
        code = UNKNOWN if unknown else FAILED
        if not as_json:
            raise CommandError(_text(error), returncode=code) from None
        self.stderr.write(json.dumps({"error": _text(error)}, ensure_ascii=False))
        raise SystemExit(code)


def _signed(module: ModuleType) -> bool:
    return getattr(module, "SIGNED", False)


def _login() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container without a name for the user
        return ""


def _text(error: Exception) -> str:
    if isinstance(error, DatabaseError):
        return f"The database: {error}. Is it there, and is manage.py migrate done?"
    text = str(error.args[0]) if isinstance(error, KeyError) and error.args else str(error)
    return ". ".join([text, *getattr(error, "__notes__", ())])
