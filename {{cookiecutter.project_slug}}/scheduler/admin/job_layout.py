"""Which fields of a job's form stand together, and in which order."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from django.forms import BoundField

from . import policy_fields, schedule_fields
from .argument_fields import PREFIX
from .job_form import JobForm
from .schedule_words import GROUPS, HAS_WINDOW, WINDOW


@dataclass(frozen=True)
class Group:
    """Fields side by side; ``kinds``: the kinds of schedule to which they belong, if any."""

    fields: list[BoundField]
    kinds: tuple[str, ...] = ()
    title: str = ""


@dataclass(frozen=True)
class Section:
    title: str
    groups: list[Group]
    name: str = ""
    folded: bool = False
    notes: list[str] = field(default_factory=list)


def sections(form: JobForm) -> list[Section]:
    made = [
        Section("Job", _each(form, ("id", "name", "paused")), "job"),
        _arguments(form),
        Section("Schedule", [*_schedule(form)], "schedule"),
    ]
    policies = (*policy_fields.NAMES, "sensitive")
    touched = set(form.errors) | (set(form.changed_data) if form.is_bound else set())
    made.append(
        Section(
            "Policies",
            _each(form, policies),
            "policies",
            folded=touched.isdisjoint(policies) and form.job is None,
        )
    )
    return made


def _arguments(form: JobForm) -> Section:
    notes = []
    if form.chosen is None:
        notes.append("The function cannot be imported, so its arguments cannot be changed.")
    elif form.misfit:
        notes.append(f"The stored arguments do not fit the function; enter new ones. {form.misfit}")
    elif form.arguments and not form.arguments.signature.parameters:
        notes.append("The function takes no arguments.")
    names = [name for name in form.fields if name.startswith(PREFIX)]
    return Section("Arguments", _each(form, names), "arguments", notes=notes)


def _schedule(form: JobForm) -> Iterable[Group]:
    yield Group([form["schedule"]])
    titles = dict(schedule_fields.KINDS)
    for kind, names in GROUPS.items():
        yield Group([form[name] for name in names], (kind,), titles[kind])
    yield Group([form["timezone"]], tuple(kind for kind in GROUPS if kind != "json"))
    yield Group([form[name] for name in WINDOW], HAS_WINDOW, "Limits")


def _each(form: JobForm, names: Iterable[str]) -> list[Group]:
    return [Group([form[name]]) for name in names if name in form.fields]
