"""Refuse answers that make no project, before its first file is written."""

from __future__ import annotations

import difflib
import itertools
import json
import keyword
import os
import re
import sys
import zoneinfo
from collections.abc import Iterator
from pathlib import Path

# Answers are data. tojson writes a single quote as \u0027, so none of them can end this string.
ANSWERS = json.loads(r'''{{ cookiecutter | tojson }}''')  # fmt: skip

CONTROL = re.compile(r"[\x00-\x1f\x7f]")
SLUG = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
SLUG_LENGTH = 32  # the longest name of a Linux user
LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
DOMAIN = re.compile(LABEL + r"(\." + LABEL + ")*")
MAILBOX = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+")

OWN_PACKAGES = {"config", "deploy", "home", "scheduler", "tests"}
# fmt: off
DEPENDENCIES = {
    "apscheduler", "asgiref", "celery", "cookiecutter", "cron_descriptor", "django",
    "django_apscheduler", "django_environ", "django_stubs", "environ", "gunicorn", "honcho",
    "mypy", "mysqlclient", "packaging", "pebble", "pip", "prometheus_client", "psycopg",
    "psycopg2", "pymysql", "pytest", "pytest_django", "redis", "ruff", "sentry_sdk",
    "setuptools", "sqlparse", "supervisor", "typing_extensions", "tzdata", "tzlocal", "uv",
    "uvicorn", "wheel", "whitenoise",
}
# Users and groups of Debian and of systemd, then names of PostgreSQL and of MySQL.
ACCOUNTS = {
    "adm", "audio", "backup", "bin", "cdrom", "daemon", "dialout", "dip", "disk", "fax", "floppy",
    "games", "irc", "kmem", "list", "lp", "mail", "man", "news", "nobody", "nogroup", "operator",
    "plugdev", "proxy", "root", "sasl", "shadow", "src", "staff", "sudo", "sync", "sys", "tape",
    "tty", "users", "utmp", "uucp", "video", "voice",
    "clock", "input", "kvm", "render", "sgx",
    "none", "postgres", "public", "template0", "template1",
    "information_schema", "mysql", "performance_schema",
}
TARGETS = {
    "basic", "bluetooth", "cryptsetup", "default", "emergency", "exit", "final", "getty",
    "graphical", "halt", "hibernate", "initrd", "integritysetup", "kexec", "machines", "network",
    "paths", "poweroff", "printer", "reboot", "rescue", "rpcbind", "runlevel0", "runlevel1",
    "runlevel2", "runlevel3", "runlevel4", "runlevel5", "runlevel6", "shutdown", "sigpwr",
    "sleep", "slices", "smartcard", "sockets", "sound", "suspend", "swap", "sysinit", "timers",
    "tpm2", "umount", "veritysetup",
}
# fmt: on


def main() -> int:
    complaints = list(complain())
    if complaints:
        print("Nothing was written, because of this:\n", file=sys.stderr)
        print("\n".join(complaints), file=sys.stderr)
    return 1 if complaints else 0


def complain() -> Iterator[str]:
    if "cookiecutter." in ANSWERS["__requires_python"]:  # version 1 leaves it as it stands
        yield "  cookiecutter 2 or newer is needed: pipx run cookiecutter ..."
        return
    for question, check in CHECKS.items():
        if complaint := check(ANSWERS[question]):
            yield f"  {question}: {ANSWERS[question]!r}\n      {complaint}"
    for name in unknown_questions():
        yield f"  {name}: no question has this name.{suggest(name, public_questions())}"


def check_name(name: str) -> str:
    if CONTROL.search(name):
        return "One line of text, without control characters."
    if len(name) > 80 or not any(character.isalnum() for character in name):
        return "1 to 80 characters, at least one of them a letter or a digit."
    return ""


def check_text(text: str) -> str:
    """Several lines become one, but no file could hold what else controls a terminal."""
    return "Text, without control characters." if CONTROL.search(" ".join(text.split())) else ""


def check_slug(slug: str) -> str:
    if not SLUG.fullmatch(slug) or len(slug) > SLUG_LENGTH:
        words = re.sub(r"[^a-z0-9]+", "_", slug.lower()).lstrip("0123456789_")
        proposal = words[:SLUG_LENGTH].rstrip("_")
        return (
            f"1 to {SLUG_LENGTH} lower-case letters, digits and single underscores, of which the"
            f" first is a letter{f', such as {proposal}' if proposal else ''}."
        )
    if slug.startswith("pg_"):
        proposal = f"my_{slug}"[:SLUG_LENGTH].rstrip("_")
        return f"PostgreSQL keeps names that begin with pg_ for itself. Perhaps {proposal}."
    if owner := owner_of(slug):
        return f"That is {owner}. Choose another name, such as {slug[:27]}_site."
    return ""


def owner_of(slug: str) -> str:
    if keyword.iskeyword(slug):
        return "a keyword of Python"
    if slug in sys.stdlib_module_names or slug == "test":
        return "a module of Python's standard library"
    if slug in OWN_PACKAGES:
        return "a package inside the project"
    if slug in DEPENDENCIES:
        return "a package that the project stands on"
    if slug in ACCOUNTS:
        return "an account or database that servers keep for themselves"
    if slug in TARGETS:
        return "a target of systemd itself, which a deployment would overwrite"
    return ""


def check_domain(domain: str) -> str:
    if DOMAIN.fullmatch(domain) and len(domain) <= 253:
        return ""
    host = re.sub(r"^[a-z]+://|[:/].*$", "", domain.strip().lower())
    try:
        host = host.encode("idna").decode()
    except UnicodeError:
        host = ""
    proposal = f" Perhaps {host}." if DOMAIN.fullmatch(host) else ""
    return f"A host name in lower case, without https://, port or path.{proposal}"


def check_email(email: str) -> str:
    mailbox, _, domain = email.rpartition("@")
    if MAILBOX.fullmatch(mailbox) and DOMAIN.fullmatch(domain.lower()) and len(email) <= 254:
        return ""
    return "An e-mail address, such as you@example.com, without a name around it."


def check_timezone(name: str) -> str:
    known = zoneinfo.available_timezones() - {"localtime"}
    if not known or name in known:  # a machine without time zone data cannot judge
        return ""
    cities = {zone.rpartition("/")[2].lower(): zone for zone in sorted(known)}
    zone = cities.get(re.sub(r"[\s-]+", "_", name.strip().lower()).rpartition("/")[2])
    hint = f" Perhaps {zone}." if zone else suggest(name, sorted(known))
    return f"A name from the IANA time zone database, such as Europe/Berlin or UTC.{hint}"


CHECKS = {
    "project_name": check_name,
    "project_slug": check_slug,
    "description": check_text,
    "author_name": check_text,
    "domain_name": check_domain,
    "email": check_email,
    "timezone": check_timezone,
}


def unknown_questions() -> list[str]:
    """Names that cookiecutter was given and dropped without a word.

    Only its command line still tells them, and only Linux shows that of a parent process.
    """
    try:
        words = Path(f"/proc/{os.getppid()}/cmdline").read_text(errors="replace").split("\0")
    except OSError:
        return []
    if not any(Path(word).name.startswith("cookiecutter") for word in words[:3]):
        return []
    takes_value = re.compile(r"-[co]|--(checkout|directory|(output|debug|replay|config)-\w+)")
    given = [
        word.partition("=")[0]
        for before, word in itertools.pairwise(words)
        if re.match(r"[A-Za-z_]\w*=", word) and not takes_value.fullmatch(before)
    ]
    return [name for name in given if name not in ANSWERS]


def public_questions() -> list[str]:
    return [name for name in ANSWERS if not name.startswith("_")]


def suggest(word: str, known: list[str]) -> str:
    close = difflib.get_close_matches(word, known, n=1)
    return f" Perhaps {close[0]}." if close else ""


if __name__ == "__main__":
    sys.exit(main())
