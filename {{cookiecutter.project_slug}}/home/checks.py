"""What ``manage.py check`` says of values that Django takes and that cannot work."""

from __future__ import annotations

import re
import socket
from email.utils import parseaddr
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Warning, register
from django.core.exceptions import ValidationError
from django.core.validators import EmailValidator

from config.redaction import redacted
from config.settings import env
from config.workers import why_silent

from .health import static_files

ORIGIN = re.compile(r"https?://(\*\.)?([a-z0-9_-]+(\.[a-z0-9_-]+)*|\[[0-9a-f:.]+\])(:\d+)?", re.I)
HOST = re.compile(r"\*|\.?[a-z0-9_-]+(\.[a-z0-9_-]+)*\.?|\[[0-9a-f:.]+\]", re.I)


@register()
def check_addresses(**_: Any) -> list[CheckMessage]:
    """ALLOWED_HOSTS and its like hold what can match, and BASE_URL is a URL."""
    messages: list[CheckMessage] = [
        Warning(
            f"ALLOWED_HOSTS holds {host!r}, which no request can match.",
            hint="Write host names alone: without https://, port, path or spaces.",
            id="home.W001",
        )
        for host in settings.ALLOWED_HOSTS
        if not HOST.fullmatch(host)
    ]
    messages += [
        Warning(
            f"CSRF_TRUSTED_ORIGINS holds {origin!r}, which no form can come from.",
            hint="Write the scheme and the host alone, such as https://www.example.com.",
            id="home.W005",
        )
        for origin in settings.CSRF_TRUSTED_ORIGINS
        if not ORIGIN.fullmatch(origin)
    ]
    messages += [
        Warning(
            f"{name} holds {redacted(address)!r}, which is no address of mail.",
            hint="Write it as ops@example.com; several in ADMINS are separated by commas.",
            id="home.W006",
        )
        for name, address in mail_addresses()
        if not is_mail_address(address)
    ]
    if not re.fullmatch(r"https?://[^/\s?#@]+(/[\w.~/-]*)?", settings.BASE_URL, re.I):
        messages.append(
            Warning(
                f"BASE_URL is {redacted(settings.BASE_URL)!r}: links in alerts lead nowhere.",
                hint="Write it as https://www.example.com, with the path below which the site is.",
                id="home.W002",
            )
        )
    return messages


def mail_addresses() -> list[tuple[str, str]]:
    """Return the settings that name who mails and who gets mail, with each address."""
    senders = ("SERVER_EMAIL", "DEFAULT_FROM_EMAIL")
    named = [(name, getattr(settings, name)) for name in senders]
    return named + [("ADMINS", address) for address in settings.ADMIN_EMAILS]


def is_mail_address(text: str) -> bool:
    """Return whether it is one address, with or without a name before it in ``Name <...>``."""
    address = parseaddr(text)[1] if text.endswith(">") else text
    try:
        EmailValidator(allowlist=["localhost", socket.gethostname()])(address)
    except ValidationError:
        return False
    return True


@register()
def check_names(**_: Any) -> list[CheckMessage]:
    """Check that no variable is misspelt: it would be passed over in silence."""
    return [
        Warning(
            f"The environment, or .env, has {name}, which nothing reads.",
            hint=f"Did you mean {meant}?" if meant else "Set it in config/settings.py.",
            id="home.W007",
        )
        for name, meant in sorted(env.misspelt().items())
    ]


@register(deploy=True)
def check_mail(**_: Any) -> list[CheckMessage]:
    """Mails about errors and failed runs reach somebody."""
    if not settings.ADMIN_EMAILS:
        why, hint = "ADMINS holds no address", "Write it as ops@example.com."
    elif mail_scheme() in ("consolemail", "dummymail"):
        why = f"EMAIL_URL is {mail_scheme()}://, which sends nothing"
        hint = "Name a mail server, such as smtp+tls://USER:PASSWORD@HOST:587."
    else:
        return []
    return [Warning(f"{why}: nobody hears of errors and failed runs.", hint=hint, id="home.W008")]


def mail_scheme() -> str:
    return env.raw("EMAIL_URL").partition("://")[0].lower()


@register(deploy=True)
def check_static_files(**_: Any) -> list[CheckMessage]:
    """Check that the static files to which pages link were collected."""
    if static_files():
        return []
    return [
        Warning(
            "The static files are not collected: every page would fail.",
            hint="Run manage.py collectstatic --noinput, and restart the web workers.",
            id="home.W003",
        )
    ]


@register("broker", deploy=True)
def check_broker(**_: Any) -> list[CheckMessage]:
    """Celery's broker answers."""
    url = getattr(settings, "CELERY_BROKER_URL", "")
    if not url or not (why := why_silent(url)):
        return []
    parts = urlsplit(url)
    where = f"{parts.scheme}://{parts.hostname}{f':{parts.port}' if parts.port else ''}"
    return [
        Warning(
            f"Celery's broker does not answer at {where}: {redacted(why)}",
            hint="Start it (Redis on Debian or Ubuntu: sudo apt-get install redis-server), or name "
            "another in CELERY_BROKER_URL.",
            id="home.W004",
        )
    ]
