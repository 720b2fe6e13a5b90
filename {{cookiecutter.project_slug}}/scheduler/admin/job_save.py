"""From a valid form to the client: a new job, or the columns of a job that differ."""

from __future__ import annotations

from typing import Any

from apscheduler.jobstores.base import ConflictingIdError
from django.contrib.admin.models import ADDITION
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone

from .. import definitions, scheduler
from ..changes import changed_by
from ..conf import conf
from ..masking import sensitive_names
from ..models import Change, Job
from ..models.job import JobState
from . import audit, digest, policy_fields
from .clock import now
from .job_form import JobForm


def add(request: HttpRequest, form: JobForm) -> Job | None:
    """The new job. None: the form has an error now."""
    assert form.chosen
    assert form.call
    args, kwargs = form.call
    data = form.cleaned_data
    options: dict[str, Any] = {"next_run_time": None} if data["paused"] else {}
    wanted = data["id"] or free_id(form.chosen.function.__name__)
    try:
        with changed_by(request.user.get_username()), transaction.atomic(using=conf().DATABASE):
            scheduler.add_job(
                form.chosen.function,
                form.trigger,
                args=args,
                kwargs=kwargs,
                id=wanted,
                name=data["name"] or wanted,
                **form.policies,
                **options,
            )
    except ConflictingIdError:
        form.add_error("id", f"There is a job {wanted} already. Choose another id.")
        return None
    except (TypeError, ValueError, LookupError) as error:
        form.add_error(None, str(error))
        return None
    job = Job.objects.using(conf().DATABASE).get(pk=wanted)
    told = "; ".join(
        f"{audit.label(name)}: {audit.value(name, value)}"
        for name, value in audit.definition(job).items()
        if name in ("func", "args", "kwargs", "trigger", "state")
    )
    audit.log(request, job, f"Added. {told}", ADDITION)
    return job


def change(request: HttpRequest, form: JobForm) -> Job | None:
    """The changed job. None: the form has an error now, such as somebody else's change."""
    assert form.job
    using = conf().DATABASE
    try:
        with changed_by(request.user.get_username()), transaction.atomic(using=using):
            row = definitions.locked(form.job.pk, using)
            if conflict(form, row):
                return None
            if changes := _changes(form, row):
                scheduler.modify_job(row.pk, **changes)
    except (TypeError, ValueError, LookupError) as error:
        form.add_error(None, str(error))
        return None
    job = Job.objects.using(using).get(pk=row.pk)
    difference = audit.changed(row, job)
    if secret_changed(row, job):
        difference = "; ".join(filter(None, [difference, "sensitive arguments: changed"]))
    if difference:
        audit.log(request, job, f"Changed. {difference}")
    return job


def conflict(form: JobForm, row: Job) -> bool:
    """Whether the job is no longer what the form was opened on; if so, the form says how."""
    changed = digest.changed_since(form.cleaned_data["read"], row)
    if not changed:
        return False
    columns = audit.definition(row)
    last = Change.objects.using(conf().DATABASE).filter(job_uid=row.uid).first()
    who = f" by {last.by or 'code'} at {timezone.localtime(last.at):%H:%M:%S}" if last else ""
    form.add_error(
        None,
        f"This job was changed{who} while the form was open. Nothing was saved. Now it says: "
        + "; ".join(
            f"{audit.label(name)}: {audit.value(name, columns[name])}"
            for name in changed
            if name in columns
        )
        + ". Save again to put what stands below in its place.",
    )
    data: Any = form.data
    form.data = data.copy()
    form.data["read"] = digest.taken(row)  # type: ignore[index]
    return True


def free_id(wanted: str) -> str:
    """``wanted``, or with the first free number behind it."""
    taken = set(
        Job.objects.using(conf().DATABASE)
        .filter(pk__startswith=wanted)
        .values_list("pk", flat=True)
    )
    number, free = 1, wanted
    while free in taken:
        number += 1
        free = f"{wanted}-{number}"
    return free


def secret_changed(before: Job, after: Job) -> bool:
    """Whether arguments differ that the log may not show."""
    hidden = bool(sensitive_names(before) | sensitive_names(after))
    return hidden and (before.args, before.kwargs) != (after.args, after.kwargs)


def _changes(form: JobForm, row: Job) -> dict[str, Any]:
    assert form.job
    changed = set(form.changed_data)
    policies = form.policies
    changes: dict[str, Any] = {
        name: policies[name] for name in policy_fields.NAMES if name in changed
    }
    if set(policies["sensitive"]) != sensitive_names(row):
        changes["sensitive"] = policies["sensitive"]
    if "name" in changed:
        changes["name"] = form.cleaned_data["name"] or row.pk
    if form.chosen and form.chosen.ref != row.func:
        changes["func"] = form.chosen.function
    if form.arguments_changed and form.call:
        changes["args"], changes["kwargs"] = form.call
    if form.schedule_changed and form.trigger:
        changes["trigger"] = form.trigger
        if row.state in (JobState.ACTIVE, JobState.FINISHED):
            changes["next_run_time"] = form.trigger.get_next_fire_time(None, now())
    return changes
