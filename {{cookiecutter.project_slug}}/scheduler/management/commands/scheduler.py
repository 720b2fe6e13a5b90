"""``manage.py scheduler``: manage jobs and executions from a shell or a script."""

from __future__ import annotations

import getpass
from argparse import RawDescriptionHelpFormatter
from typing import Any

from apscheduler.jobstores.base import JobLookupError
from django.core.management.base import (
    BaseCommand,
    CommandError,
    CommandParser,
    no_translations,
)
from django.db.utils import Error as DatabaseError

from ...definitions.changes import changed_by
from ...errors import ExecutionLookupError, UnknownJobError
from ...formatting import escaped
from .. import streams
from ..subcommands import SUBCOMMANDS
from ..subcommands.output import json_text
from ..subcommands.subcommand import EXIT_CODES, FAILED, UNKNOWN, Subcommand

ERRORS = (LookupError, TypeError, ValueError, ArithmeticError, RuntimeError, DatabaseError)
"""What the client and the database raise; anything else is a bug and shows its traceback."""


class Command(BaseCommand):
    help = "Inspect and change scheduled jobs. " + EXIT_CODES

    def add_arguments(self, parser: CommandParser) -> None:
        subparsers = parser.add_subparsers(dest="subcommand", required=True, metavar="subcommand")
        for subcommand in SUBCOMMANDS:
            subparser = subparsers.add_parser(
                subcommand.name, help=subcommand.help, description=subcommand.help
            )
            subparser.set_defaults(of=subcommand)
            subparser.formatter_class = RawDescriptionHelpFormatter
            subparser.add_argument("--json", action="store_true", help="print JSON")
            if subcommand.signed:
                subparser.add_argument(
                    "--by", help="who makes the change, for the record (default: the login name)"
                )
            subcommand.add_arguments(subparser)

    @no_translations
    def handle(self, *args: Any, **options: Any) -> None:
        streams.escape_on_stdout()
        options = {name: streams.as_typed(value) for name, value in options.items()}
        subcommand: Subcommand = options["of"]
        if subcommand.signed:
            options["by"] = options["by"] or _login()
        try:
            with changed_by(options.get("by", "")):
                answer = subcommand.run(options)
        except ERRORS as error:
            self._refuse(error, options["json"])
            return
        if options["json"]:
            self.stdout.write(json_text(answer.data, streams.takes_all_letters(self.stdout)))
        else:
            self.stdout.write("\n".join(map(escaped, answer.lines)))
        if answer.code:
            raise SystemExit(answer.code)

    def _refuse(self, error: Exception, as_json: bool) -> None:
        unknown = isinstance(error, (JobLookupError, ExecutionLookupError))
        code = UNKNOWN if unknown else FAILED
        if not as_json:
            lines = _text(error).splitlines()
            raise CommandError("\n".join(map(escaped, lines)), returncode=code) from None
        self.stderr.write(
            json_text({"error": _text(error)}, streams.takes_all_letters(self.stderr), indent=None)
        )
        raise SystemExit(code)


def _login() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container without a name for the user
        return ""


def _text(error: Exception) -> str:
    if isinstance(error, DatabaseError):
        return f"Database error: {error}. Is it reachable, and has manage.py migrate been run?"
    own = isinstance(error, UnknownJobError)  # else a KeyError's str() is the repr of its text
    text = str(error) if own or not isinstance(error, KeyError) else str(error.args[0])
    return ". ".join([text, *getattr(error, "__notes__", ())])
