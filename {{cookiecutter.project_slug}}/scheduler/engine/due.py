"""A due job as planning and running need it; the rest of its row never leaves the database."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from ..models import Job


class Due(NamedTuple):
    """The columns of the same names."""

    id: str
    uid: UUID
    name: str
    trigger: str
    func: str
    args: str
    kwargs: str
    executor: str
    coalesce: bool
    misfire_grace_time: int | None
    next_run_time: datetime
    max_instances: int
    max_retries: int
    on_lost: str
    timeout: float | None
    warn_after: float | None
    sensitive: str
    state: str
    declared: bool


Planned = Job | Due
"""What is planned: a due job, or its whole row."""
