"""A due job as planning and running need it; the rest of its row never leaves the database."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime
from uuid import UUID

from ..models import Job
from ..models.runspec import RunSpecValues


@dataclass(slots=True, kw_only=True)
class Due(RunSpecValues):
    """The columns of the same names."""

    id: str
    uid: UUID
    name: str
    trigger: str
    coalesce: bool
    misfire_grace_time: int | None
    next_run_time: datetime
    state: str
    declared: bool


DUE_COLUMNS = tuple(column.name for column in fields(Due))
"""The columns of ``Job`` that make up ``Due``."""

Planned = Job | Due
"""What is planned: a due job, or its whole row."""
