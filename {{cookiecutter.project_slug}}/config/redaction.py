"""Credentials of the environment, masked in logs, error reports and Sentry events.

Django masks settings by their names. A password inside a URL, in an error's text or in a local
variable has no such name: these are found by their value.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlsplit

MASK = "********"
MIN_LENGTH = 6
"""Characters of a value that is masked wherever it occurs; a shorter one would hit other words."""

SECRET_NAME = re.compile(
    r"((TOKEN|KEY|SECRET|PASS|PASSWORD|PASSWD|PASSPHRASE|PWD|AUTH|SALT|SIGNATURE|SIGNING|PRIVATE"
    r"|DSN|WEBHOOK|COOKIE|CREDENTIAL)S?|(?<![A-Z])(PAT|PW))(_|\d|$)",
    re.I,
)
NOT_SECRET_NAME = re.compile(
    r"^(OLD)?PWD$|(_|^)(FILE|PATH|DIR|SOCK|MODEL|BACKENDS?|CLASS|MODULE|NAME|ID|USER|HOST|PORT"
    r"|DOMAIN|PREFIX|PROVIDER|REGION|SCHEME|TYPE|MODE|ENABLED|REQUIRED|SECURE|SAMESITE|TIMEOUT|TTL"
    r"|AGE|LENGTH|ALGORITHM)$",
    re.I,
)
"""Names that only speak of a secret, such as ``SECRET_KEY_FILE``; and the current folder."""
PAIR = re.compile(r"(?:^|[;&?\s])([A-Za-z_. -]+?)\s*=\s*([^;&\s]+)")
"""As in ``Server=db;Password=...``, and behind the ``?`` of a URL."""
BETWEEN_WORDS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|[-.\s]+")
URL_LOGIN = re.compile(r"(?<=://)[^\s/?#'\"<>]+(?=@)")
"""Up to the last @: one within a password is often not encoded."""

_known: set[str] = set()
_pattern: re.Pattern[str] | None = None


def mask_credentials_of(variables: Mapping[str, str]) -> None:
    """Mask the credentials in ``variables``, an environment, from now on."""
    global _pattern
    for text in credentials(variables):
        _known.update(_spellings(text))
    longest_first = sorted(_known, key=len, reverse=True)
    _pattern = re.compile("|".join(map(re.escape, longest_first))) if _known else None


def known() -> frozenset[str]:
    """Return the credentials in each of their spellings."""
    return frozenset(_known)


def is_secret_name(name: str) -> bool:
    """Return whether a variable, or a key in a value, of that name holds a secret."""
    words = BETWEEN_WORDS.sub("_", name)
    return SECRET_NAME.search(words) is not None and NOT_SECRET_NAME.search(words) is None


def redacted(text: str) -> str:
    """Return ``text`` without known credentials, and without the logins of URLs."""
    if _pattern is not None:
        text = _pattern.sub(MASK, text)
    return URL_LOGIN.sub(MASK, text) if "://" in text else text


def redacted_all(value: Any) -> Any:
    """Return ``value`` with every string inside its lists and dictionaries redacted."""
    if isinstance(value, str):
        return redacted(value)
    if isinstance(value, dict):
        return {key: redacted_all(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [redacted_all(item) for item in value]
    return value


def credentials(variables: Mapping[str, str]) -> set[str]:
    """Return the values with a secret's name, and those inside of URLs, JSON and pairs."""
    found: set[str] = set()
    for name, value in variables.items():
        if is_secret_name(name):
            found.update({value, *map(str.strip, value.split(","))})  # or several of them
        if "://" in value:
            found.update(_of_url(value))
        if value.startswith(("{", "[")):
            found.update(_of_json(value))
        found.update(secret for key, secret in PAIR.findall(value) if is_secret_name(key))
    return {text for text in found if len(text) >= MIN_LENGTH}


def _of_url(url: str) -> Iterable[str]:
    try:
        parts = urlsplit(url)
    except ValueError:  # a bracket that is not closed
        return
    user, colon, password = parts.netloc.rpartition("@")[0].partition(":")
    if colon and password != user:
        yield password
        # Some mail services give one token as user and password.
    elif parts.scheme in ("http", "https"):
        yield user  # the key of a Sentry DSN
    for name, value in parse_qsl(parts.query):
        if is_secret_name(name):
            yield value


def _of_json(text: str) -> Iterable[str]:
    """Return the texts under a secret's name, such as in a service account's key."""
    try:
        left = [("", json.loads(text))]
    except (ValueError, RecursionError):
        return
    while left:
        name, value = left.pop()
        if isinstance(value, dict):
            left.extend(value.items())
        elif isinstance(value, list):
            left.extend((name, item) for item in value)
        elif isinstance(value, str) and is_secret_name(name):
            yield value


def _spellings(text: str) -> set[str]:
    """Return ``text`` as it reads in URLs, in JSON, in Python's repr and in HTML."""
    plain = {text, unquote(text)}
    quoted = {quote(one, safe="") for one in plain}
    escaped = {
        form[1:-1]
        for one in plain
        for form in (json.dumps(one), json.dumps(one, ensure_ascii=False), repr(one))
    }
    spelled = plain | quoted | escaped
    return spelled | {html.escape(one) for one in spelled}
