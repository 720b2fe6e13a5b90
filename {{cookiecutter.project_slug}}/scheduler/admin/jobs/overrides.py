"""What was changed of a declared job since, beside what the code declares."""

from __future__ import annotations

from dataclasses import dataclass

from ...definitions import declared
from ...masking import sensitive_names
from ...models import Job
from .. import log


@dataclass(frozen=True)
class Override:
    """One field of a job, as the code declares it and as it is. ``name``: that of the column."""

    name: str
    declared: str
    now: str

    @property
    def label(self) -> str:
        return log.label(self.name)


def overrides(job: Job) -> list[Override]:
    """Return the fields that differ, without the values that either side keeps secret."""
    code = declared.as_declared(job)
    if code is None:
        return []
    names = sensitive_names(job) | sensitive_names(code)
    says, is_now = log.definition(code, names), log.definition(job, names)
    return [
        Override(name, log.value(name, says[name]), log.value(name, is_now[name]))
        for name in declared.overridden(job, code)
    ]
