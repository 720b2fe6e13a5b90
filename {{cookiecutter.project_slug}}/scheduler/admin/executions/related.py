"""Other executions that the page of one leads to: attempts, neighbours, the last success."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import Q

from ...conf import conf
from ...masking import differing
from ...models import Execution, Term
from ...models.execution import Status
from .query import HEAVY

MAX_ATTEMPTS = 50
MAX_LOOKED_AT = 1_000
"""How many earlier runs of the job are looked at for one that succeeded."""


@dataclass(frozen=True)
class Comparison:
    """A run beside the last one of its job that succeeded; ``success`` None: there is none."""

    success: Execution | None
    arguments: list[tuple[str, str, str]]
    """Name, value in this run and in the other, of those that differ."""
    code: str
    code_of_success: str

    @property
    def looked_at(self) -> int:
        return MAX_LOOKED_AT


def attempts(execution: Execution) -> list[Execution]:
    """Return all attempts at the same slot or manual run, where there is more than this one."""
    rows = Execution.objects.using(conf().DATABASE).filter(
        job_uid=execution.job_uid, scheduled_run_time=execution.scheduled_run_time
    )
    if execution.scheduled_run_time is None and not execution.is_task:
        first = execution.first_attempt or execution.pk
        rows = rows.filter(Q(pk=first) | Q(first_attempt=first))
    found = list(rows.defer(*HEAVY).order_by("attempt")[:MAX_ATTEMPTS])
    return found if len(found) > 1 else []


def neighbours(execution: Execution) -> dict[str, Any]:
    """Return the runs of the same job before and after this one."""
    runs = Execution.objects.using(conf().DATABASE).filter(job_id=execution.job_id)
    return {
        "earlier": runs.filter(pk__lt=execution.pk).order_by("-pk").values("pk").first(),
        "later": runs.filter(pk__gt=execution.pk).order_by("pk").values("pk").first(),
    }


def comparison(execution: Execution) -> Comparison | None:
    """Compare a run that began with the last success before it; None for a success."""
    if execution.started_at is None or execution.status == Status.SUCCEEDED:
        return None
    success = _last_success(execution)
    if success is None:
        return Comparison(None, [], "", "")
    terms = Term.objects.using(conf().DATABASE).filter(term__in=[execution.term, success.term])
    codes: dict[int | None, str] = dict(terms.values_list("term", "code"))
    return Comparison(
        success,
        differing(execution, success),
        codes.get(execution.term, ""),
        codes.get(success.term, ""),
    )


def _last_success(execution: Execution) -> Execution | None:
    """Walk back along the index by job: a job that never succeeded has it no longer than that."""
    rows = Execution.objects.using(conf().DATABASE)
    earlier = rows.filter(job_id=execution.job_id, pk__lt=execution.pk).order_by("-pk")
    outcomes = earlier.values_list("pk", "status")[:MAX_LOOKED_AT]
    found = next((pk for pk, status in outcomes if status == Status.SUCCEEDED), None)
    return found and rows.defer(*HEAVY).filter(pk=found).first()
