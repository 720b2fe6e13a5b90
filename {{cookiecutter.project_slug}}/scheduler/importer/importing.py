"""From django-apscheduler's tables into ours: jobs, and the history of their runs.

Each job gets a ``uid`` made from its id, the same at each import, so that a second import finds
what the first brought: it adds what is new and changes nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from django.db import transaction

from .. import serialization, triggers
from ..definitions import changes, references, states
from ..definitions.changes import changed_by
from ..definitions.options import check_id, check_limits, check_printable
from ..definitions.states import Event
from ..engine.executors.runner import clean
from ..models import Change, Execution, Job
from ..models.change import Action
from ..models.execution import Status
from ..models.job import JobState
from . import tables
from .tables import OldExecution
from .unpickling import state_of

UNKNOWN_END = "django-apscheduler never wrote how it ended"
STATUS = {
    "Started execution": Status.LOST,
    "Executed": Status.SUCCEEDED,
    "Missed!": Status.MISSED,
    "Max instances!": Status.SKIPPED,
    "Error!": Status.FAILED,
}


@dataclass
class ImportReport:
    """Ids of jobs, and why; numbers of executions."""

    imported: list[str] = field(default_factory=list)
    quarantined: dict[str, str] = field(default_factory=dict)
    """Brought in, but they cannot run here yet."""
    present: list[str] = field(default_factory=list)
    """Brought in before, and left as they are."""
    refused: dict[str, str] = field(default_factory=dict)
    """Not brought in."""
    refused_executions: dict[str, str] = field(default_factory=dict)
    """By the id that they have in the old table."""
    executions: int = 0
    executions_present: int = 0


def run(source: str, using: str, dry_run: bool = False) -> ImportReport:
    """Import everything, or find out what an import would do.

    Raises:
        TablesMissing: there is nothing to import.
    """
    tables.check(source)
    report = ImportReport()
    with transaction.atomic(using=using), changed_by("import_django_apscheduler"):
        names: dict[str, dict[str, str]] = {}
        for old in tables.jobs(source, report.refused):
            names[old.id] = _import_job(old, using, report)
        for batch in tables.executions(source, report.refused_executions):
            _import_executions(batch, names, using, report)
        transaction.set_rollback(dry_run, using=using)
    return report


def uid_of(job_id: str) -> UUID:
    """Return the ``uid`` of an imported job: the same at each import."""
    return uuid5(NAMESPACE_URL, f"django-apscheduler:{job_id}")


def _import_job(old: tables.OldJob, using: str, report: ImportReport) -> dict[str, str]:
    """Import one job, and return what its executions repeat of it."""
    try:
        state = state_of(old.state)
        row = _row(old, state)
    except Exception as error:  # the data may be anything
        report.refused[old.id] = f"{type(error).__name__}: {error}"
        return {}
    if Change.objects.using(using).filter(job_uid=row.uid, action=Action.ADDED).exists():
        report.present.append(old.id)
    elif Job.objects.using(using).filter(pk=row.pk).exists():
        report.refused[old.id] = "there is another job with this id; it was left as it is"
    else:
        try:
            with transaction.atomic(using):  # the others are imported whatever this one says
                changes.insert(row, using)
        except Exception as error:  # a text that the database does not take
            report.refused[old.id] = f"{type(error).__name__}: {error}"
            return {}
        if row.state == JobState.QUARANTINED:
            report.quarantined[old.id] = row.last_error
        else:
            report.imported.append(old.id)
    return {"job_name": row.name, "func": row.func}


def _row(old: tables.OldJob, state: dict[str, Any]) -> Job:
    """Make the row of a job. Raises whatever says that no row can hold it."""
    check_limits(state)
    row = Job(
        id=old.id,
        uid=uid_of(old.id),
        name=state.get("name") or old.id,
        func=references.ref(state["func"]),
        trigger=triggers.dumps(triggers.normalize(state["trigger"])),
        args=serialization.dumps_args(state.get("args") or ()),
        kwargs=serialization.dumps_kwargs(state.get("kwargs") or {}),
        executor=state.get("executor") or "default",
        coalesce=bool(state.get("coalesce", True)),
        max_instances=state.get("max_instances") or 1,
        misfire_grace_time=state.get("misfire_grace_time"),
        **states.after(states.NEW, Event.ADDED, old.next_run_time),
    )
    check_id(row.id)
    check_printable("name", str(row.name))
    row.clean_fields(exclude=["planned_trigger"])
    if row.state == JobState.ACTIVE:
        try:
            references.check_runnable(references.resolve(row.func))
        except references.FunctionError as error:
            for name, value in states.after(row.state, Event.QUARANTINED, error=str(error)).items():
                setattr(row, name, value)
    return row


def _import_executions(
    batch: Sequence[OldExecution],
    names: dict[str, dict[str, str]],
    using: str,
    report: ImportReport,
) -> None:
    if not batch:
        return
    executions = Execution.objects.using(using)
    times = [old.run_time for old in batch]
    there = executions.filter(
        job_uid__in={uid_of(old.job_id) for old in batch},
        scheduled_run_time__range=(min(times), max(times)),
    )
    present = Counter(there.values_list("job_uid", "scheduled_run_time"))
    rows: list[tuple[OldExecution, Execution]] = []
    for old in batch:
        key = (uid_of(old.job_id), old.run_time)
        if present[key]:
            report.executions_present += 1
            continue
        present[key] += 1
        rows.append((old, _execution(old, names.get(old.job_id, {}))))
    try:
        with transaction.atomic(using=using):
            executions.bulk_create([row for _, row in rows])
            report.executions += len(rows)
    except Exception:  # one of them cannot be written: which?
        for old, row in rows:
            _write(old, row, using, report)


def _write(old: OldExecution, row: Execution, using: str, report: ImportReport) -> None:
    try:
        with transaction.atomic(using=using):
            row.pk = None
            row.save(using=using, force_insert=True)
            report.executions += 1
    except Exception as error:
        report.refused_executions[str(old.id)] = f"{type(error).__name__}: {error}"


def _execution(old: OldExecution, repeated: dict[str, str]) -> Execution:
    status = STATUS.get(old.status, Status.LOST)
    ran = status in (Status.SUCCEEDED, Status.FAILED, Status.LOST)
    return Execution(
        job_id=old.job_id,
        job_uid=uid_of(old.job_id),
        status=status,
        reason="" if old.finished or not ran else UNKNOWN_END,
        scheduled_run_time=old.run_time,
        due_at=old.run_time,
        queued_at=old.run_time,
        started_at=old.run_time if ran else None,  # it counts durations from there
        finished_at=old.finished or old.run_time,
        exception=clean(old.exception),
        traceback=clean(old.traceback),
        **repeated,
    )
