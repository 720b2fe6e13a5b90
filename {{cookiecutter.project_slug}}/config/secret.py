"""The key that signs sessions, given in production, made once on a developer's machine."""

from __future__ import annotations

import os
import secrets
import tempfile
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

MAKE_ONE = "python -c 'import secrets; print(secrets.token_urlsafe(48))'"


def secret_key(given: str, debug: bool, path: Path) -> str:
    """``given``, or in development the key in ``path``, which is made if it is not there.

    Raises:
        ImproperlyConfigured: none was given in production, or ``path`` cannot be used.
    """
    if given:
        return given
    if not debug:
        raise ImproperlyConfigured(
            "SECRET_KEY is not set, and this is production (DEBUG is not true). Set SECRET_KEY in "
            f"the environment or in .env to what this prints:\n  {MAKE_ONE}\n"
            "On a developer's machine, put DEBUG=true there instead, as .env.example does."
        )
    try:
        if not path.exists():
            write_once(path, secrets.token_urlsafe(48))
        return path.read_text().strip()
    except OSError as error:
        raise ImproperlyConfigured(
            f"SECRET_KEY is not set, and {path} cannot be made or read ({error.strerror}). "
            f"Set SECRET_KEY to what this prints:\n  {MAKE_ONE}"
        ) from error


def write_once(path: Path, text: str) -> None:
    """Web server and scheduler may start together: the first wins, nobody sees half a key."""
    descriptor, draft = tempfile.mkstemp(dir=path.parent, prefix=f"{path.name}.")
    try:
        with open(descriptor, "w") as file:
            file.write(text + "\n")
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        os.unlink(draft)
