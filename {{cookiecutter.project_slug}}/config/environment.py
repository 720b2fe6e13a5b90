"""What differs between machines: environment variables and, for what they leave open, ``.env``."""

from __future__ import annotations

import difflib
import io
import os
import re
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

from .redaction import mask_credentials_of

YES = frozenset({"true", "yes", "on", "1"})
NO = frozenset({"false", "no", "off", "0"})


# What django-environ takes for an assignment. It logs any other line, whatever secret that holds.
COMMENT_BEHIND = re.compile(r"""=(?!\s*("[^"]*"|'[^']*')\s*$).*\s\#""")
"""It would become a part of the value, which ends with the line."""
ASSIGNMENT = re.compile(r"(export )?[A-Za-z_0-9]+=")


def read_environment(dotenv: Path) -> Env:
    """Return a reader of the variables as they are now. An empty one counts as not set.

    Raises:
        ImproperlyConfigured: ``dotenv`` cannot be read, or holds what is no assignment.
    """

    class Reader(Env):
        # A copy: a worker that is reloaded must find what .env says by then.
        ENVIRON = dict(os.environ)
        asked = set()

    if dotenv.is_dir():
        raise ImproperlyConfigured(
            f"{dotenv} is a folder. A container engine makes one where it was told to mount a file "
            "that is not there: remove it, and mount the file."
        )
    if dotenv.exists():
        Reader.read_env(io.StringIO(assignments(dotenv)))
    values = {name: value.strip() for name, value in Reader.ENVIRON.items()}
    Reader.ENVIRON = {name: value for name, value in values.items() if value}
    mask_credentials_of(Reader.ENVIRON)
    return Reader()


def assignments(dotenv: Path) -> str:
    """Return the lines of ``dotenv`` without comments."""
    lines = []
    for number, line in enumerate(text_of(dotenv).splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if not ASSIGNMENT.match(line):
            raise ImproperlyConfigured(
                f"{dotenv}, line {number}: write NAME=VALUE, without spaces around the name, "
                "or begin the line with # to make it a comment."
            )
        if COMMENT_BEHIND.search(line):
            raise ImproperlyConfigured(
                f"{dotenv}, line {number}: give a comment a line of its own. If # belongs to the "
                "value, write that in quotation marks."
            )
        lines.append(line)
    return "\n".join(lines)


def text_of(dotenv: Path) -> str:
    """Return the text of ``dotenv``, in UTF-8 or, as PowerShell writes it, UTF-16 with a BOM."""
    if not os.access(dotenv, os.R_OK):
        raise ImproperlyConfigured(
            f"{dotenv} is there, but user {os.geteuid()} may not read it. Give it to the group "
            "that the services run as: chgrp GROUP .env && chmod 640 .env"
        )
    data = dotenv.read_bytes()
    encoding = "utf-16" if data.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        number = data[: error.start].count(b"\n") + 1
        raise ImproperlyConfigured(
            f"{dotenv}, line {number}: not in UTF-8. Save the file in that encoding."
        ) from None
    if "\0" in text:
        raise ImproperlyConfigured(f"{dotenv} is not in UTF-8. Save it in that encoding.")
    return text


def refuse_unencoded_login(var: str, url: str) -> None:
    """Refuse a URL whose password holds a character that ends the login, such as ``/``.

    Raises:
        ImproperlyConfigured: an ``@`` stands in the path, or there is a fragment.
    """
    authority, _, behind = url.partition("://")[2].partition("/")
    path = behind.partition("?")[0]
    if "#" in url or "@" in path or "@" in authority.partition("?")[2]:
        raise ImproperlyConfigured(
            f"{var} holds a special character as it is. In USER and PASSWORD, write "
            "/ as %2F, ? as %3F, # as %23, @ as %40, : as %3A and % as %25."
        )


class Env(environ.Env):
    """django-environ's readers, whose errors name the variable and what is accepted."""

    asked: set[str]
    """The names that were read."""

    def misspelt(self) -> dict[str, str]:
        """Return variables that nothing reads, by names that seem meant: those of settings.

        Any other program's stand in the environment as well, so a name must be very close, or
        begin as those of the scheduler do.
        """
        found = {}
        for name in self.ENVIRON.keys() - self.asked:
            close = difflib.get_close_matches(name.upper(), self.asked, n=1, cutoff=0.9)
            if close or name.startswith("APSCHEDULER_"):
                found[name] = close[0] if close else ""
        return found

    def raw(self, name: str) -> str:
        """Return the text, empty if there is none."""
        self.asked.add(name)
        return self.ENVIRON.get(name, "")

    def bool(self, var: str, default: Any = environ.Env.NOTSET) -> bool:
        text = self.raw(var).lower()
        if text and text not in YES | NO:
            raise ImproperlyConfigured(f"{var} is {text!r}. Accepted are true and false.")
        return text in YES if text else default

    # In place of django-environ's, which read 30 from 30m, and 13 from 1e3.
    def int(self, var: str, default: Any = environ.Env.NOTSET) -> Any:
        return self._number(var, r"[+-]?[0-9]{1,9}", int, "a whole number", default)

    def float(self, var: str, default: Any = environ.Env.NOTSET) -> Any:
        return self._number(var, r"[+-]?[0-9]{1,9}(\.[0-9]+)?", float, "a number", default)

    def _number(self, var: str, form: str, convert: Any, what: str, default: Any) -> Any:
        text = self.raw(var)
        if text and not re.fullmatch(form, text):
            raise ImproperlyConfigured(f"{var} is {text!r}. Accepted is {what}.")
        return convert(text) if text else default

    def count(self, var: str, default: Any) -> Any:
        """Return a number of at least 1."""
        number = self.int(var, default=default)
        if number < 1:
            raise ImproperlyConfigured(f"{var} is {number}. Accepted are 1 and more.")
        return number

    def list(self, var: str, default: Any = environ.Env.NOTSET) -> Any:
        """Separated by commas, and spaces as one likes."""
        items = super().list(var, default=default)
        return [item for item in map(str.strip, items) if item]

    def email_url(self, var: str = "EMAIL_URL", default: str = "") -> dict[str, Any]:
        url = self.raw(var) or default
        refuse_unencoded_login(var, url)
        try:
            parts = urlsplit(url)
            settings: dict[str, Any] = self.email_url_config(url)
            no_server = parts.scheme.startswith("smtp") and not (parts.hostname and parts.port != 0)
            if "?" in url or no_server or parts.scheme == "filemail":
                raise ValueError
            # Strictly: of bytes that are no UTF-8 it makes another password.
            for name, text in (("USER", parts.username), ("PASSWORD", parts.password)):
                settings[f"EMAIL_HOST_{name}"] = unquote(text, errors="strict") if text else None
            return settings
        except (ImproperlyConfigured, ValueError):
            # Without its cause, whose text may repeat a part of the password.
            raise ImproperlyConfigured(
                f"{var} is malformed. Accepted are smtp://USER:PASSWORD@HOST:25, "
                "smtp+tls://USER:PASSWORD@HOST:587, smtp+ssl://USER:PASSWORD@HOST:465 and "
                "consolemail://, with special characters percent-encoded and no options."
            ) from None

    def get_value(
        self, var: str, cast: Any = None, default: Any = environ.Env.NOTSET, **options: Any
    ) -> Any:
        text = self.raw(var)
        if not text and default is not self.NOTSET:
            return default
        try:
            # No other variable's name, which would be passed over in silence where there is none.
            if text.startswith("$"):
                return self.parse_value(text, cast)
            return super().get_value(var, cast, default, **options)
        except ValueError as error:
            raise ImproperlyConfigured(f"{var} is {self.raw(var)!r}: {error}") from error
