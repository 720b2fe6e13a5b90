"""Where the site is reached: ``ADMIN_URL``, ``SCRIPT_NAME`` and ``BASE_URL``."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

SEGMENTS = r"([\w~-][\w.~-]*/)+"
"""Of a path: a browser takes . and .. out of it, and reads // as the begin of a host."""


def admin_path(text: str) -> str:
    """Return the admin's path without a leading and with a trailing slash.

    Raises:
        ImproperlyConfigured: the root, or what no address leads to.
    """
    path = text.strip("/") + "/"
    if not re.fullmatch(SEGMENTS, path, re.ASCII) or path.startswith("static/"):
        raise ImproperlyConfigured(
            f"ADMIN_URL is {text!r}. Accepted is a path such as admin/ or a/b/, of letters, digits "
            "and . _ ~ -; the root is the landing page's, and static/ belongs to files."
        )
    return path


def prefix(script_name: str, base_url: str) -> str | None:
    """Return the path below which all of the site lies: that of gunicorn, or that of ``BASE_URL``.

    Raises:
        ImproperlyConfigured: no such path, or two of them.
    """
    try:
        parts = urlsplit(base_url)
        of_base = parts.path.rstrip("/") if parts.netloc else ""  # manage.py check says the rest
    except ValueError:
        raise ImproperlyConfigured(
            f"BASE_URL is {base_url!r}. Accepted is a URL such as https://www.example.com/app."
        ) from None
    for name, text, path in (
        ("SCRIPT_NAME", script_name, script_name),
        ("BASE_URL", base_url, of_base),
    ):
        if path and not re.fullmatch(f"/{SEGMENTS}", f"{path}/", re.ASCII):
            raise ImproperlyConfigured(
                f"{name} is {text!r}. Accepted is a path such as /app, that begins with a slash "
                "and does not end with one; leave it out where the site is at the root."
            )
    if script_name and of_base and script_name != of_base:
        raise ImproperlyConfigured(
            f"SCRIPT_NAME is {script_name!r}, and BASE_URL has the path {of_base!r}. Leave one out."
        )
    return script_name or of_base or None
