"""Many alerts, one mail: what is gathered, and how it reads."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict, dataclass, field
from urllib.parse import urlsplit

from django.conf import settings
from django.urls import NoReverseMatch, get_script_prefix, reverse

from ..conf import conf
from ..formatting import one_line
from . import tracebacks

MAX_GROUPS = 20
"""How many jobs one mail shows in full."""
MAX_TRACEBACK_LINES = 15
MAX_TEXT = 2000
"""Characters of an alert's text; an exception may be of any length."""
MAX_SUBJECT_NAME = 80
"""Characters of a job's id in a subject."""


@dataclass(frozen=True)
class Alert:
    """One thing to tell. ``job_id`` is empty where it concerns no job."""

    kind: str
    job_id: str
    text: str
    traceback: str = ""
    execution_id: int | None = None
    number: int = 1


@dataclass
class Group:
    """The alerts of one kind about one job: how many, and the last."""

    last: Alert
    number: int = 0


@dataclass
class Digest:
    """Alerts until they are sent. Its size is bounded by jobs, not by failures."""

    groups: dict[tuple[str, str], Group] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.groups)

    def add(self, alert: Alert) -> None:
        group = self.groups.setdefault((alert.kind, alert.job_id), Group(alert))
        group.last = alert
        group.number += alert.number

    def merge(self, newer: Digest) -> None:
        """Add what a newer digest holds."""
        for key, group in newer.groups.items():
            mine = self.groups.setdefault(key, Group(group.last))
            mine.last = group.last
            mine.number += group.number

    def clear(self) -> None:
        self.groups = {}

    def dumps(self) -> str:
        """Return it as JSON."""
        return json.dumps([asdict(group) for group in self.groups.values()])

    @classmethod
    def loads(cls, text: str) -> Digest:
        """Return what ``dumps`` wrote; an empty digest for an empty text."""
        digest = cls()
        for group in json.loads(text or "[]"):
            alert = Alert(**group["last"])
            digest.groups[alert.kind, alert.job_id] = Group(alert, group["number"])
        return digest

    def subject(self) -> str:
        """Return one line; ``mail_admins`` puts ``EMAIL_SUBJECT_PREFIX`` before it."""
        if len(self.groups) == 1:
            (group,) = self.groups.values()
            return _headline(group)
        kinds: Counter[str] = Counter()
        for (kind, _), group in self.groups.items():
            kinds[kind] += group.number
        jobs = len({job_id for _, job_id in self.groups if job_id})
        what = ", ".join(f"{n} {kind}" for kind, n in sorted(kinds.items()))
        return f"{jobs} job{'s' if jobs > 1 else ''}: {what}" if jobs else what

    def body(self) -> str:
        """Return the groups, the first ``MAX_GROUPS`` of them in full."""
        parts = [_part(group) for group in list(self.groups.values())[:MAX_GROUPS]]
        if (more := len(self.groups) - MAX_GROUPS) > 0:
            parts.append(f"... and {more} more jobs: {_link('executions')}".rstrip(": "))
        return "\n\n".join(parts) + "\n"


def _headline(group: Group) -> str:
    alert = group.last
    if not alert.job_id:
        return alert.kind.capitalize()
    times = f" {group.number} times" if group.number > 1 else ""
    return f"{one_line(alert.job_id, MAX_SUBJECT_NAME)} {alert.kind}{times}"


def _part(group: Group) -> str:
    alert, text = group.last, group.last.text.strip()
    if len(text) > MAX_TEXT:
        text = f"{text[:MAX_TEXT]} ... ({len(text)} characters)"
    lines = [_headline(group), text, _link("execution", alert.execution_id)]
    if alert.traceback:
        end = tracebacks.own(alert.traceback).rstrip().splitlines()
        cut = ["..."] if len(end) > MAX_TRACEBACK_LINES else []
        lines += ["", *cut, *(one_line(line, MAX_TEXT) for line in end[-MAX_TRACEBACK_LINES:])]
    return "\n  ".join(line for line in lines if line or alert.traceback).rstrip()


def _link(what: str, execution_id: int | None = None) -> str:
    """Return a URL; empty without the admin, or without ``APSCHEDULER_BASE_URL``.

    The prefix of the addresses, such as ``/app``, is known to some threads and not to others, so it
    is taken off, and put back once: from the base URL, or else from ``FORCE_SCRIPT_NAME``.
    """
    if not conf().BASE_URL or (what == "execution" and execution_id is None):
        return ""
    try:
        if what == "execution":
            path = reverse("admin:scheduler_execution_change", args=[execution_id])
        else:
            path = reverse("admin:scheduler_execution_changelist")
    except NoReverseMatch:
        return ""
    base = conf().BASE_URL.rstrip("/")
    prefix = "" if urlsplit(base).path else (settings.FORCE_SCRIPT_NAME or "").rstrip("/")
    return base + prefix + path.removeprefix(get_script_prefix().rstrip("/"))
