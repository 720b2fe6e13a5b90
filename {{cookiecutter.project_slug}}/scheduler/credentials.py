"""What a secret looks like: by its name, within a value or a text, or as the project says."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import unquote

from django.utils.module_loading import import_string

from .conf import conf

MASK = "••••••"
SECRET_NAME = re.compile(
    r"((password|passwd|passphrase|secret|token|credential|(api|access|private|secret|signing"
    r"|encryption|account|ssh|gpg|license)_?key|webhook(_ur[il])?|connection_string)s?"
    r"|(^|_)(pwd|passcode|auth|authorization|bearer|cookie|dsn|jwt))_?\d*$",
    re.I,
)
"""Names of arguments, and of keys within them, that are sensitive whether or not a job says so."""
NOT_SECRET_NAME = re.compile(r"tokens$", re.I)
"""Such as ``max_tokens``: a number of them."""
BETWEEN_WORDS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|[-.\s]+")
"""As in ``accessToken`` and ``X-Api-Key``."""
URL_LOGIN = re.compile(r"(?<=://)[^\s/?#'\"<>]+(?=@)")
"""Up to the last @: one within a password is often not encoded."""
IN_TEXT = re.compile(
    r"""://[^\s/?\#@:'"<>]*:(?P<login>[^\s/?\#'"<>]+)@
    |https?://(?P<key>[^\s/?\#@:'"<>]+)@
    |[?&](?P<name>[\w.-]+)=(?P<value>[^&\#\s'"<>]+)
    |\b(?:Bearer|Basic)\s+(?P<bearer>[\w.~+/=-]{6,})""",
    re.I | re.X,
)
"""A credential within a text: the login or a parameter of a URL, what a header authorizes with."""


def is_secret_name(name: str) -> bool:
    """Return whether an argument of that name is sensitive by default, such as ``api_key``."""
    words = BETWEEN_WORDS.sub("_", name)
    return SECRET_NAME.search(words) is not None and NOT_SECRET_NAME.search(words) is None


def holds_secret(value: Any) -> bool:
    """Return whether a value, such as an argument, has a secret within."""
    return any(secret not in (None, "") for secret in secrets_within(value))


def secrets_within(value: Any) -> Iterable[Any]:
    """Return what stands under a secret's name in a value, and the credentials in its texts."""
    left, seen = [value], set()
    while left:
        each = left.pop()
        if isinstance(each, str):
            yield from _credentials(each)
        elif isinstance(each, (Mapping, list, tuple, set, frozenset)) and id(each) not in seen:
            seen.add(id(each))
            if not isinstance(each, Mapping):
                left.extend(each)
                continue
            for name, item in each.items():
                if isinstance(name, str) and is_secret_name(name) and not isinstance(item, bool):
                    yield item
                else:
                    left.append(item)


def _credentials(text: str) -> Iterable[str]:
    for found in IN_TEXT.finditer(text):
        if (name := found["name"]) is None or is_secret_name(name):
            secret = found["login"] or found["key"] or found["value"] or found["bearer"]
            yield from {secret, unquote(secret)}


def credentials_of_project() -> frozenset[str]:
    """Return what the function of ``APSCHEDULER_SECRETS`` returns."""
    return frozenset(import_string(path)()) if (path := conf().SECRETS) else frozenset()


def without_credentials(text: str) -> str:
    """Return ``text`` without the project's credentials, and the logins of URLs."""
    return without(credentials_of_project(), text)


def without(secrets: Iterable[str], text: str) -> str:
    """Return ``text`` without ``secrets``, and the logins of URLs."""
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, MASK)
    return URL_LOGIN.sub(MASK, text) if "://" in text else text
