"""From a valid form to the client: a new job, or the columns of a job that differ."""

from __future__ import annotations

from typing import Any

from apscheduler.jobstores.base import ConflictingIdError
from django.contrib.admin.models import ADDITION
from django.db import transaction
from django.http import HttpRequest
from django.utils import formats, timezone
from django.utils.translation import gettext as _

from ... import scheduler
from ...conf import conf
from ...db.clock import now
from ...definitions import changes
from ...definitions.changes import changed_by
from ...formatting import english
from ...masking import sensitive_names
from ...models import Change, Job
from ...models.job import JobState
from .. import log, version
from ..fields.policies import POLICY_NAMES
from .form import JobForm


def add(request: HttpRequest, form: JobForm) -> Job | None:
    """Add the job and return it. None: the form has an error now."""
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
        told = _("There is a job %(id)s already. Choose another id.")
        form.add_error("id", told % {"id": wanted})
        return None
    except (TypeError, ValueError, LookupError) as error:
        form.add_error(None, str(error))
        return None
    job = Job.objects.using(conf().DATABASE).get(pk=wanted)
    with english():
        told = "; ".join(
            f"{log.label(name)}: {log.value(name, value)}"
            for name, value in log.definition(job).items()
            if name in ("func", "args", "kwargs", "trigger", "state")
        )
    log.record(request, job, f"Added. {told}", ADDITION)
    return job


def change(request: HttpRequest, form: JobForm) -> Job | None:
    """Change the job and return it. None: the form has an error now, such as an edit conflict."""
    assert form.job
    using = conf().DATABASE
    try:
        with changed_by(request.user.get_username()), transaction.atomic(using=using):
            row = changes.locked(form.job.pk, using)
            if conflict(form, row):
                return None
            if modifications := _modifications(form, row):
                scheduler.modify_job(row.pk, **modifications)
    except (TypeError, ValueError, LookupError) as error:
        form.add_error(None, str(error))
        return None
    job = Job.objects.using(using).get(pk=row.pk)
    difference = log.changed(row, job)
    if secret_changed(row, job):
        difference = "; ".join(filter(None, [difference, "sensitive arguments: changed"]))
    if difference:
        log.record(request, job, f"Changed. {difference}")
    return job


def conflict(form: JobForm, row: Job) -> bool:
    """Return whether the job has changed since the form was opened; if so, the form says how."""
    changed = version.changed_since(form.cleaned_data["read"], row)
    if not changed:
        return False
    columns = log.definition(row)
    last = Change.objects.using(conf().DATABASE).filter(job_uid=row.uid).first()
    definition = "; ".join(
        f"{log.label(name)}: {log.value(name, columns[name])}"
        for name in changed
        if name in columns
    )
    what = {"definition": definition}
    if last:
        told = _(
            "This job was changed by %(who)s at %(time)s while the form was open. Nothing was "
            "saved. Now it says: %(definition)s. Save again to put what stands below in its place."
        )
        at = formats.date_format(timezone.localtime(last.at), "H:i:s")
        what |= {"who": last.by or _("code"), "time": at}
    else:
        told = _(
            "This job was changed while the form was open. Nothing was saved. Now it says: "
            "%(definition)s. Save again to put what stands below in its place."
        )
    form.add_error(None, told % what)
    data: Any = form.data
    form.data = data.copy()
    form.data["read"] = version.version_of(row)  # type: ignore[index]
    return True


def free_id(wanted: str) -> str:
    """Return ``wanted``, or with the first free number behind it."""
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
    """Return whether arguments differ that the log may not show."""
    hidden = bool(sensitive_names(before) | sensitive_names(after))
    return hidden and (before.args, before.kwargs) != (after.args, after.kwargs)


def _modifications(form: JobForm, row: Job) -> dict[str, Any]:
    assert form.job
    changed = set(form.changed_data)
    policies = form.policies
    modifications: dict[str, Any] = {
        name: policies[name] for name in POLICY_NAMES if name in changed
    }
    if set(policies["sensitive"]) != sensitive_names(row):
        modifications["sensitive"] = policies["sensitive"]
    if "name" in changed:
        modifications["name"] = form.cleaned_data["name"] or row.pk
    if form.chosen and form.chosen.ref != row.func:
        modifications["func"] = form.chosen.function
    if form.arguments_changed and form.call:
        modifications["args"], modifications["kwargs"] = form.call
    if form.schedule_changed and form.trigger:
        modifications["trigger"] = form.trigger
        if row.state in (JobState.ACTIVE, JobState.FINISHED):
            modifications["next_run_time"] = form.trigger.get_next_fire_time(None, now())
    return modifications
