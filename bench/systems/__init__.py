"""One module for each system. Each has a class ``System`` with the same few methods.

``prepare()`` makes the tables; ``run(jobs, **policies)`` adds the jobs and blocks until ``stop()``,
as the system's own documentation starts it; ``history()`` says what the database holds afterwards.
All keep their defaults: ten worker threads, one instance of a job, ``coalesce``.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from importlib import import_module
from typing import Any, NamedTuple, Protocol

from bench.work import Planned

OURS, DJANGO, SQLALCHEMY = "ours", "django_apscheduler", "sqlalchemy"
LABELS = {OURS: "this template", DJANGO: "django-apscheduler", SQLALCHEMY: "SQLAlchemyJobStore"}


class Entry(NamedTuple):
    """One slot in the history."""

    job: str
    slot: datetime
    outcome: str


class System(Protocol):
    scheduler: Any
    apps: str
    """Installed apps; empty: it needs no Django."""
    keeps_history: bool

    def prepare(self) -> None: ...
    def run(self, jobs: list[Planned], **policies: Any) -> None: ...
    def stop(self) -> None: ...
    def finished(self) -> int:
        """How many runs the history shows as succeeded."""
        ...

    def history(self) -> Iterator[Entry]: ...


def load(name: str) -> System:
    system: System = import_module(f"bench.systems.{name}").System()
    return system
