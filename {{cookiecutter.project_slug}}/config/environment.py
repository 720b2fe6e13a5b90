"""What differs between machines: environment variables and, for what they leave open, ``.env``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import environ
from django.core.exceptions import ImproperlyConfigured

YES = frozenset({"true", "yes", "on", "1"})
NO = frozenset({"false", "no", "off", "0"})


def read_environment(dotenv: Path) -> Env:
    """A reader of the variables as they are now. An empty one counts as not set."""

    class Reader(Env):
        # A copy: a worker that is reloaded must find what .env says by then.
        ENVIRON = dict(os.environ)

    if dotenv.exists():
        if not os.access(dotenv, os.R_OK):
            raise ImproperlyConfigured(
                f"{dotenv} is there, but user {os.geteuid()} may not read it. Give it to the group "
                "that the services run as: chgrp GROUP .env && chmod 640 .env"
            )
        Reader.read_env(dotenv)
    Reader.ENVIRON = {name: value for name, value in Reader.ENVIRON.items() if value}
    return Reader()


class Env(environ.Env):
    """django-environ's readers, whose errors name the variable and what is accepted."""

    def raw(self, name: str) -> str:
        """The text as it stands; ``str()`` takes one that begins with $ as another's name."""
        return self.ENVIRON.get(name, "")

    def bool(self, var: str, default: Any = environ.Env.NOTSET) -> bool:
        text = self.raw(var).lower()
        if text and text not in YES | NO:
            raise ImproperlyConfigured(f"{var} is {text!r}. Accepted are true and false.")
        return text in YES if text else default

    def list(self, var: str, default: Any = environ.Env.NOTSET) -> Any:
        """Separated by commas, and spaces as one likes."""
        items = super().list(var, default=default)
        return [item for item in map(str.strip, items) if item]

    def email_url(self, var: str = "EMAIL_URL", **options: Any) -> dict[str, Any]:
        try:
            return super().email_url(var, **options)
        except (ImproperlyConfigured, ValueError) as error:
            raise ImproperlyConfigured(
                f"{var} is malformed. Accepted are smtp://USER:PASSWORD@HOST:25, "
                "smtp+tls://USER:PASSWORD@HOST:587, smtp+ssl://USER:PASSWORD@HOST:465 and "
                "consolemail://, with special characters percent-encoded."
            ) from error

    def get_value(self, var: str, *args: Any, **options: Any) -> Any:
        try:
            return super().get_value(var, *args, **options)
        except ValueError as error:
            raise ImproperlyConfigured(f"{var} is {self.raw(var)!r}: {error}") from error
