"""Refuse answers that make no project, before its first file is written."""

from __future__ import annotations

import difflib
import itertools
import json
import keyword
import os
import re
import shlex
import sys
import zoneinfo
from collections.abc import Iterator
from importlib import resources
from pathlib import Path

# Answers are data. tojson writes a single quote as \u0027, so none of them can end this string.
ANSWERS = json.loads(r'''{{ cookiecutter | tojson }}''')  # fmt: skip

CONTROL = re.compile(r"[\x00-\x1f\x7f]")
SLUG = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
SLUG_LENGTH = 32  # the longest name of a Linux user
LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
DOMAIN = re.compile(LABEL + r"(\." + LABEL + ")*")
MAILBOX = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+")

OWN_PACKAGES = {"accounts", "config", "deploy", "home", "scheduler", "tests"}
# fmt: off
DEPENDENCIES = {
    "amqp", "apscheduler", "asgiref", "axes", "billiard", "celery", "click", "cookiecutter",
    "cron_descriptor", "debug_toolbar", "django", "django_apscheduler", "django_axes",
    "django_debug_toolbar", "django_environ", "django_ox", "django_stubs", "django_tasks",
    "django_tasks_db", "environ", "grimp", "gunicorn", "honcho", "import_linter", "importlinter",
    "kombu", "mypy", "mysqlclient", "packaging", "pip", "pre_commit", "prometheus_client",
    "psycopg", "psycopg2", "pymysql", "pytest", "pytest_django", "redis", "ruff", "sentry_sdk",
    "setuptools", "sqlparse", "supervisor", "typing_extensions", "tzdata", "tzlocal", "uv",
    "uvicorn", "vine", "wheel", "whitenoise",
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


WORKERS = {
    "celery": "env REMAP_SIGTERM=SIGQUIT PYTHON -m celery -A config worker --queues scheduler",
    "django-tasks": "PYTHON manage.py db_worker --queue-name scheduler --backend workers",
}
CHOICES: dict[str, list[str] | list[bool]] = {
    "database": ["sqlite", "postgresql", "mysql"],
    "django_version": ["5.2", "6.1"],
    "task_backend": ["inline", "celery", "django-tasks"],
    "ci": ["github", "gitlab", "none"],
    "use_docker": [False, True],
    "open_source_license": ["MIT", "BSD-3-Clause", "Apache-2.0", "Proprietary"],
}


def main() -> int:
    complaints = list(complain())
    if complaints:
        print("Nothing was written, because of this:\n", file=sys.stderr)
        print("\n".join(complaints), file=sys.stderr)
        if not is_old():
            print(f"\nAll answers, corrected, to paste:\n\n{command()}\n", file=sys.stderr)
    return 1 if complaints else 0


def complain() -> Iterator[str]:
    if is_old():
        yield "  cookiecutter 2 or newer is needed: pipx run cookiecutter ..."
        return
    yield from edited()
    for question, check in CHECKS.items():
        if complaint := check(ANSWERS[question]):
            yield f"  {question}: {ANSWERS[question]!r}\n      {complaint}"
    for name in unknown_questions():
        yield f"  {name}: no question has this name.{suggest(name, public_questions())}"


def edited() -> Iterator[str]:
    """Answers that cookiecutter takes from a replay file as they stand, and asks nobody about."""
    for question, choices in CHOICES.items():
        # In a replay file "no" is a text, which cookiecutter takes for true.
        if json.dumps(ANSWERS[question]) not in map(json.dumps, choices):
            accepted = ", ".join(json.dumps(choice).strip('"') for choice in choices)
            yield f"  {question}: {ANSWERS[question]!r}\n      Accepted are {accepted}."
    for name, value in derived().items():
        if ANSWERS[name] != value:
            yield (
                f"  {name}: {json.dumps(ANSWERS[name])}\n"
                f"      With the other answers of the replay file it is {json.dumps(value)}."
            )


def derived() -> dict[str, object]:
    """Return what cookiecutter.json derives from the answers."""
    line = {name: " ".join(str(ANSWERS[name]).split()) for name in ANSWERS if name[0] != "_"}
    texts = {"title": line["project_name"], "summary": line["description"]}
    texts |= {"author": line["author_name"]}
    as_given = {name: ANSWERS[name] for name in ("email", "domain_name", "timezone")}
    newest = ANSWERS["django_version"] == "6.1"
    return {
        **{f"__{name}": text for name, text in texts.items()},
        "__deploy_root": f"/srv/{ANSWERS['project_slug']}",
        "__worker": WORKERS.get(ANSWERS["task_backend"], ""),
        "__requires_python": ">=3.12" if newest else ">=3.11",
        "__tasks_api": "django.tasks" if newest else "django_tasks",
        "__quoted": {
            name: text.replace("\\", "\\\\").replace('"', "\\u0022")
            for name, text in (texts | as_given).items()
        },
    }


def is_old() -> bool:
    """Return whether this is cookiecutter 1, which leaves private answers as they stand."""
    return "cookiecutter." in ANSWERS["__requires_python"]


def check_name(name: str) -> str:
    if CONTROL.search(name):
        return "One line of text, without control characters."
    if len(name) > 80 or not any(character.isalnum() for character in name):
        return "1 to 80 characters, at least one of them a letter or a digit."
    return ""


def propose_text(text: str) -> str:
    return " ".join(CONTROL.sub(" ", text).split())[:80]


def check_text(text: str) -> str:
    """Several lines become one, but no file could hold what else controls a terminal."""
    return "Text, without control characters." if CONTROL.search(" ".join(text.split())) else ""


def check_slug(slug: str) -> str:
    if not SLUG.fullmatch(slug) or len(slug) > SLUG_LENGTH:
        proposal = propose_slug(slug)
        return (
            f"1 to {SLUG_LENGTH} lower-case letters, digits and single underscores, of which the"
            f" first is a letter{f', such as {proposal}' if proposal else ''}."
        )
    if slug.startswith("pg_"):
        proposal = propose_slug(slug)
        return f"PostgreSQL keeps names that begin with pg_ for itself. Perhaps {proposal}."
    if owner := owner_of(slug):
        return f"That is {owner}. Choose another name, such as {propose_slug(slug)}."
    return ""


def propose_slug(slug: str) -> str:
    """Return the nearest name; an empty one if nothing of ``slug`` is left."""
    words = re.sub(r"[^a-z0-9]+", "_", slug.lower()).lstrip("0123456789_")
    if words.startswith("pg_"):
        words = f"my_{words}"
    proposal = words[:SLUG_LENGTH].rstrip("_")
    return f"{proposal[:27].rstrip('_')}_site" if owner_of(proposal) else proposal


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
    host = propose_domain(domain)
    proposal = f" Perhaps {host}." if DOMAIN.fullmatch(host) else ""
    return f"A host name in lower case, without https://, port or path.{proposal}"


def propose_domain(domain: str) -> str:
    host = re.sub(r"^[a-z]+://|[:/].*$", "", domain.strip().lower())
    try:
        return host.encode("idna").decode()
    except UnicodeError:
        return ""


def check_email(email: str) -> str:
    mailbox, _, domain = email.rpartition("@")
    if MAILBOX.fullmatch(mailbox) and DOMAIN.fullmatch(domain.lower()) and len(email) <= 254:
        return ""
    return "An e-mail address, such as you@example.com, without a name around it."


def propose_email(email: str) -> str:
    return email.strip().removesuffix(">").rpartition("<")[2]


def check_timezone(name: str) -> str:
    known = time_zones()
    if not known or name in known:  # a machine without time zone data cannot judge
        return ""
    proposal = propose_zone(name)
    # These names have the sign of POSIX: Etc/GMT-2 is two hours ahead of UTC.
    other_way = ", whose sign is the other way round" if proposal.startswith("Etc/GMT") else ""
    hint = f" Perhaps {proposal}{other_way}." if proposal else ""
    return f"A name from the IANA time zone database, such as Europe/Berlin or UTC.{hint}"


def propose_zone(name: str) -> str:
    """Return the nearest name, or an empty one."""
    known = sorted(time_zones())
    if offset := re.fullmatch(r"(?:utc|gmt)?\s*([+-])0?(\d{1,2})(?::?00)?", name.strip(), re.I):
        zone = f"Etc/GMT{'-' if offset[1] == '+' else '+'}{int(offset[2])}"
        return zone if zone in known else ""
    cities = {zone.rpartition("/")[2].lower(): zone for zone in known}
    city = cities.get(re.sub(r"[\s-]+", "_", name.strip().lower()).rpartition("/")[2])
    return city or next(iter(difflib.get_close_matches(name, known, n=1)), "")


def time_zones() -> set[str]:
    """Return the names that the project will know: those of tzdata, on which it depends.

    Cookiecutter brings that package; without it, the system's names are the best guess.
    """
    try:
        text = resources.files("tzdata").joinpath("zones").read_text()
    except ModuleNotFoundError:
        return zoneinfo.available_timezones() - {"Factory", "localtime"}
    return set(text.split()) - {"Factory"}


CHECKS = {
    "project_name": check_name,
    "project_slug": check_slug,
    "description": check_text,
    "author_name": check_text,
    "domain_name": check_domain,
    "email": check_email,
    "timezone": check_timezone,
}


# What is proposed for an answer, and what is taken where that is no better.
PROPOSALS = {
    "project_name": (propose_text, "My Project"),
    "project_slug": (propose_slug, "my_project"),
    "description": (propose_text, ""),
    "author_name": (propose_text, ""),
    "domain_name": (propose_domain, "example.com"),
    "email": (propose_email, "you@example.com"),
    "timezone": (propose_zone, "UTC"),
}


def command() -> str:
    """Return the command line that repeats all answers, with those that are refused corrected."""
    words = ["cookiecutter", "--no-input"]
    if checkout := ANSWERS.get("_checkout"):
        words += ["--checkout", checkout]
    # The hook runs in the project's folder; where the user stands, only this variable says.
    if (folder := ANSWERS.get("_output_dir")) and folder != os.environ.get("PWD"):
        words += ["--output-dir", folder]
    answers = {name: correct(name) for name in public_questions()}
    if running("cruft"):
        words[:2] = ["cruft", "create", "--no-input"]
        return shlex.join([*words, ANSWERS["_template"], "--extra-context", json.dumps(answers)])
    pairs = [f"{name}={answer}" for name, answer in answers.items()]
    return shlex.join([*words, ANSWERS["_template"], *pairs])


def correct(question: str) -> str:
    """Return the answer, or what is proposed in its place."""
    answer = ANSWERS[question]
    if choices := CHOICES.get(question):
        return str(answer if answer in choices else choices[0])
    check = CHECKS[question]
    propose, last = PROPOSALS[question]
    return next((each for each in (answer, propose(answer)) if not check(each)), last)


def unknown_questions() -> list[str]:
    """Names that cookiecutter was given and dropped without a word."""
    words = command_line()
    if not running("cookiecutter"):
        return []
    takes_value = re.compile(r"-[co]|--(checkout|directory|(output|debug|replay|config)-\w+)")
    given = [
        word.partition("=")[0]
        for before, word in itertools.pairwise(words)
        if re.match(r"[A-Za-z_]\w*=", word) and not takes_value.fullmatch(before)
    ]
    return [name for name in given if name not in ANSWERS]


def running(program: str) -> bool:
    return any(Path(word).name.startswith(program) for word in command_line()[:3])


def command_line() -> list[str]:
    """Return the words that started this; only Linux shows those of a parent process."""
    try:
        return Path(f"/proc/{os.getppid()}/cmdline").read_text(errors="replace").split("\0")
    except OSError:
        return []


def public_questions() -> list[str]:
    return [name for name in ANSWERS if not name.startswith("_")]


def suggest(word: str, known: list[str]) -> str:
    close = difflib.get_close_matches(word, known, n=1)
    return f" Perhaps {close[0]}." if close else ""


if __name__ == "__main__":
    sys.exit(main())
