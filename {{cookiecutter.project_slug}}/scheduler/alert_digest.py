"""Many alerts, one mail: what is gathered, and how it reads."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from django.urls import NoReverseMatch, reverse

from .conf import conf

GROUPS = 20
"""Jobs that one mail tells of in full."""
TRACEBACK_LINES = 15


@dataclass(frozen=True)
class Alert:
    """One thing that went wrong. ``job_id`` is empty where no job is concerned."""

    kind: str
    job_id: str
    text: str
    traceback: str = ""
    execution_id: int | None = None
    number: int = 1


@dataclass
class Group:
    """The alerts of one kind of one job: how many, and the last."""

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

    def subject(self) -> str:
        if len(self.groups) == 1:
            (group,) = self.groups.values()
            return _headline(group)
        kinds: Counter[str] = Counter()
        for (kind, _), group in self.groups.items():
            kinds[kind] += group.number
        jobs = len({job_id for _, job_id in self.groups if job_id})
        return f"{jobs} jobs: " + ", ".join(f"{n} {kind}" for kind, n in sorted(kinds.items()))

    def body(self) -> str:
        parts = [_part(group) for group in list(self.groups.values())[:GROUPS]]
        if (more := len(self.groups) - GROUPS) > 0:
            parts.append(f"... and {more} more jobs: {_link('executions')}".rstrip(": "))
        return "\n\n".join(parts) + "\n"


def _headline(group: Group) -> str:
    alert = group.last
    if not alert.job_id:
        return alert.kind.capitalize()
    times = f" {group.number} times" if group.number > 1 else ""
    return f"{alert.job_id} {alert.kind}{times}"


def _part(group: Group) -> str:
    alert = group.last
    lines = [_headline(group), alert.text.strip(), _link("execution", alert.execution_id)]
    if alert.traceback:
        end = alert.traceback.rstrip().splitlines()
        cut = ["..."] if len(end) > TRACEBACK_LINES else []
        lines += ["", *cut, *end[-TRACEBACK_LINES:]]
    return "\n  ".join(line for line in lines if line or alert.traceback).rstrip()


def _link(what: str, execution_id: int | None = None) -> str:
    """Empty where the admin is not installed, or ``APSCHEDULER_BASE_URL`` is not set."""
    if not conf().BASE_URL or (what == "execution" and execution_id is None):
        return ""
    try:
        if what == "execution":
            path = reverse("admin:scheduler_execution_change", args=[execution_id])
        else:
            path = reverse("admin:scheduler_execution_changelist")
    except NoReverseMatch:
        return ""
    return conf().BASE_URL.rstrip("/") + path
