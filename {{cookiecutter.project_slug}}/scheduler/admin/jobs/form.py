"""The form of a job: function and arguments, schedule, policies; and how its fields are grouped."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from apscheduler.triggers.base import BaseTrigger
from django import forms
from django.contrib.admin import widgets
from django.core.exceptions import ValidationError
from django.forms import BoundField
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ... import serialization, triggers
from ...definitions.options import check_timeout
from ...masking import sensitive_names
from ...models import Job
from ..fields.arguments import PREFIX, Arguments, stored_by_name
from ..fields.policies import POLICY_NAMES, chosen_policies, policy_fields
from ..fields.schedule import schedule_fields, titles
from ..fields.triggers import WINDOW, groups, trigger_from, with_window
from .functions import Choosable, sensitive_of


def check_id(text: str) -> None:
    """Refuse an id that no address can hold.

    Raises:
        ValidationError: browsers take ``.`` and ``..`` out of a path.
    """
    if text in (".", ".."):
        raise ValidationError(_("An id needs more than dots: it is part of this page's address."))


class JobForm(forms.Form):
    """The form of a new job, or of ``job``.

    Valid, its ``trigger`` and ``call`` hold what was entered.
    A new one may begin with what another job says, ``like``.
    """

    id = forms.CharField(
        max_length=255,
        required=False,
        label=gettext_lazy("Id"),
        validators=[check_id],
        widget=widgets.AdminTextInputWidget,
        help_text=gettext_lazy("How code and log call it. Empty: the function's name."),
    )
    name = forms.CharField(
        max_length=255,
        required=False,
        label=gettext_lazy("Name"),
        widget=widgets.AdminTextInputWidget,
        help_text=gettext_lazy("For people. Empty: the id."),
    )
    read = forms.CharField(required=False, widget=forms.HiddenInput)
    trigger: BaseTrigger | None = None
    call: tuple[list[Any], dict[str, Any]] | None = None

    def __init__(
        self,
        data: Any = None,
        *,
        chosen: Choosable | None,
        job: Job | None = None,
        like: Job | None = None,
        **options: Any,
    ) -> None:
        super().__init__(data, **options)
        self.job, self.chosen = job, chosen
        self.source = job or like
        self.stored_trigger = self.source.trigger if self.source else ""
        self.secret = set(sensitive_of(chosen.ref)) if chosen else set()
        if self.source and (chosen is None or chosen.ref == self.source.func):
            self.secret |= sensitive_names(self.source)
        self.arguments, self.misfit = self._arguments()
        if job:
            del self.fields["id"]
            self.fields["name"].initial = job.name
        else:
            self.fields["paused"] = forms.BooleanField(
                required=False,
                label=_("Add it paused"),
                help_text=_("It does not run until it is resumed."),
            )
        self.fields |= schedule_fields(self.stored_trigger)
        if self.arguments:
            self.fields |= self.arguments.fields()
        parameters = self.arguments.signature.parameters if self.arguments else ()
        self.fields |= policy_fields(parameters, self.secret, self.source)

    @property
    def schedule_changed(self) -> bool:
        names = {"schedule", "timezone", "start_date", "end_date", "jitter"}
        return bool(set(self.changed_data) & names.union(*groups().values()))

    @property
    def arguments_changed(self) -> bool:
        other = bool(self.job and self.chosen and self.chosen.ref != self.job.func)
        return other or any(name.startswith(PREFIX) for name in self.changed_data)

    @property
    def policies(self) -> dict[str, Any]:
        return chosen_policies(self.cleaned_data, self.secret)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if "schedule" in cleaned and "timezone" in cleaned:
            self._clean_schedule(cleaned)
        if self.arguments and not any(name.startswith(PREFIX) for name in self.errors):
            self._clean_arguments(cleaned)
        try:
            check_timeout(cleaned.get("timeout"), cleaned.get("executor", ""))
        except ValueError:
            message = _("Only a process can be stopped: choose that executor, or leave this empty.")
            self.add_error("timeout", message)
        return cleaned

    def _clean_schedule(self, cleaned: dict[str, Any]) -> None:
        if any(name in self.errors for name in groups()[cleaned["schedule"]]):
            return
        try:
            if self.source and not self.schedule_changed:
                self.trigger = triggers.loads(self.stored_trigger)
            else:
                self.trigger = trigger_from(cleaned, self.stored_trigger)
        except RecursionError:
            self.add_error("json_text", _("This is nested too deep."))
            return
        except triggers.TriggerError as error:
            self.add_error(error.field if error.field in self.fields else "schedule", str(error))
            return
        if not triggers.next_runs(self.trigger, 1) and not (self.job and not self.schedule_changed):
            self.add_error(self._field_that_ends(cleaned), _("This never runs again."))

    def _clean_arguments(self, cleaned: dict[str, Any]) -> None:
        assert self.arguments
        try:
            self.call = self.arguments.bound(cleaned, self.changed_data)
            serialization.dumps_args(self.call[0])
            serialization.dumps_kwargs(self.call[1])
        except (TypeError, ValueError) as error:
            told = _("The function does not take these arguments: %(error)s")
            self.add_error(self._argument_at_fault(), told % {"error": error})

    def _field_that_ends(self, cleaned: dict[str, Any]) -> str:
        """Return the field because of which a schedule is over: an end, or what was entered."""
        names = list(groups()[cleaned["schedule"]])
        if cleaned["schedule"] in with_window():
            names.insert(0, "end_date")
        filled = [name for name in names if cleaned.get(name) not in (None, "", 0)]
        return (filled or [*names[1:], *names])[0]

    def _argument_at_fault(self) -> str | None:
        """Return the field of an argument that cannot be stored; None if that is not the reason."""
        for name, value in self.call[1].items() if self.call else ():
            try:
                serialization.dumps_kwargs({name: value})
            except (TypeError, ValueError):
                return PREFIX + name if PREFIX + name in self.fields else None
        return None

    def _arguments(self) -> tuple[Arguments | None, str]:
        if self.chosen is None:
            return None, ""
        function, job = self.chosen.function, self.source
        if job is None or job.func != self.chosen.ref:
            return Arguments(function, {}, self.secret), ""
        try:
            args = serialization.loads_args(job.args)
            kwargs = serialization.loads_kwargs(job.kwargs)
            return Arguments(function, stored_by_name(function, args, kwargs), self.secret), ""
        except Exception as error:  # whatever loading or binding raises, the form is to mend it
            return Arguments(function, {}, self.secret), str(error)


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
    """Group the form's fields under headings."""
    made = [
        Section(_("Job"), _each(form, ("id", "name", "paused")), "job"),
        _arguments(form),
        Section(_("Schedule"), [*_schedule(form)], "schedule"),
    ]
    policies = (*POLICY_NAMES, "sensitive")
    touched = set(form.errors) | (set(form.changed_data) if form.is_bound else set())
    made.append(
        Section(
            _("Policies"),
            _each(form, policies),
            "policies",
            folded=touched.isdisjoint(policies) and form.job is None,
        )
    )
    return made


def _arguments(form: JobForm) -> Section:
    notes = []
    if form.chosen is None:
        notes.append(_("The function cannot be imported, so its arguments cannot be changed."))
    elif form.misfit:
        told = _("The stored arguments do not fit the function; enter new ones. %(error)s")
        notes.append(told % {"error": form.misfit})
    elif form.arguments and not form.arguments.signature.parameters:
        notes.append(_("The function takes no arguments."))
    names = [name for name in form.fields if name.startswith(PREFIX)]
    return Section(_("Arguments"), _each(form, names), "arguments", notes=notes)


def _schedule(form: JobForm) -> Iterable[Group]:
    yield Group([form["schedule"]])
    labels = titles()
    for kind, names in groups().items():
        yield Group([form[name] for name in names], (kind,), labels[kind])
    yield Group([form["timezone"]], tuple(kind for kind in groups() if kind != "json"))
    yield Group([form[name] for name in WINDOW], with_window(), _("Limits"))


def _each(form: JobForm, names: Iterable[str]) -> list[Group]:
    return [Group([form[name]]) for name in names if name in form.fields]
