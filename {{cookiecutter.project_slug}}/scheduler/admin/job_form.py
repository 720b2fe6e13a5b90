"""The form of a job: function and arguments, schedule, policies."""

from __future__ import annotations

from typing import Any

from apscheduler.triggers.base import BaseTrigger
from django import forms
from django.contrib.admin import widgets

from .. import serialization, triggers
from ..masking import sensitive_names
from ..models import Job
from ..policies import enforceable
from . import policy_fields, schedule_fields
from .argument_fields import PREFIX, Arguments, stored_by_name
from .choosable import Choosable, sensitive_of
from .schedule_words import GROUPS, trigger_from


class JobForm(forms.Form):
    """Of a new job, or of ``job``. Valid: ``trigger`` and ``call`` hold what was entered."""

    id = forms.CharField(
        max_length=255,
        required=False,
        label="Id",
        widget=widgets.AdminTextInputWidget,
        help_text="How code and log call it. Empty: the function's name.",
    )
    name = forms.CharField(
        max_length=255,
        required=False,
        widget=widgets.AdminTextInputWidget,
        help_text="For people. Empty: the id.",
    )
    read = forms.CharField(required=False, widget=forms.HiddenInput)
    trigger: BaseTrigger | None = None
    call: tuple[list[Any], dict[str, Any]] | None = None

    def __init__(
        self, data: Any = None, *, chosen: Choosable | None, job: Job | None = None, **options: Any
    ) -> None:
        super().__init__(data, **options)
        self.job, self.chosen = job, chosen
        self.stored_trigger = job.trigger if job else ""
        self.secret = set(sensitive_of(chosen.ref)) if chosen else set()
        if job and (chosen is None or chosen.ref == job.func):
            self.secret |= sensitive_names(job)
        self.arguments, self.misfit = self._arguments()
        if job:
            del self.fields["id"]
            self.fields["name"].initial = job.name
        else:
            self.fields["paused"] = forms.BooleanField(
                required=False, label="Add it paused", help_text="It runs when somebody resumes it."
            )
        self.fields |= schedule_fields.fields(self.stored_trigger)
        if self.arguments:
            self.fields |= self.arguments.fields()
        parameters = self.arguments.signature.parameters if self.arguments else ()
        self.fields |= policy_fields.fields(parameters, self.secret, job)

    @property
    def schedule_changed(self) -> bool:
        names = {"schedule", "timezone", "start_date", "end_date", "jitter"}
        return bool(set(self.changed_data) & names.union(*GROUPS.values()))

    @property
    def arguments_changed(self) -> bool:
        other = bool(self.job and self.chosen and self.chosen.ref != self.job.func)
        return other or any(name.startswith(PREFIX) for name in self.changed_data)

    @property
    def policies(self) -> dict[str, Any]:
        return policy_fields.chosen(self.cleaned_data, self.secret)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if "schedule" in cleaned and "timezone" in cleaned:
            self._clean_schedule(cleaned)
        if self.arguments and not any(name.startswith(PREFIX) for name in self.errors):
            self._clean_arguments(cleaned)
        try:
            enforceable(cleaned.get("timeout"), cleaned.get("executor", ""))
        except ValueError:
            message = "Only a process can be stopped: choose that executor, or leave this empty."
            self.add_error("timeout", message)
        return cleaned

    def _clean_schedule(self, cleaned: dict[str, Any]) -> None:
        if any(name in self.errors for name in GROUPS[cleaned["schedule"]]):
            return
        try:
            if self.job and not self.schedule_changed:
                self.trigger = triggers.loads(self.stored_trigger)
            else:
                self.trigger = trigger_from(cleaned, self.stored_trigger)
        except triggers.TriggerError as error:
            self.add_error(error.field if error.field in self.fields else "schedule", str(error))
            return
        if not triggers.next_runs(self.trigger, 1) and not (self.job and not self.schedule_changed):
            self.add_error(next(iter(GROUPS[cleaned["schedule"]])), "This never runs again.")

    def _clean_arguments(self, cleaned: dict[str, Any]) -> None:
        assert self.arguments
        try:
            self.call = self.arguments.bound(cleaned, self.changed_data)
            serialization.dumps_args(self.call[0])
            serialization.dumps_kwargs(self.call[1])
        except (TypeError, ValueError) as error:
            self.add_error(None, f"The function does not take these arguments: {error}")

    def _arguments(self) -> tuple[Arguments | None, str]:
        if self.chosen is None:
            return None, ""
        function, job = self.chosen.function, self.job
        if job is None or job.func != self.chosen.ref:
            return Arguments(function, {}, self.secret), ""
        try:
            args = serialization.loads_args(job.args)
            kwargs = serialization.loads_kwargs(job.kwargs)
            return Arguments(function, stored_by_name(function, args, kwargs), self.secret), ""
        except Exception as error:  # whatever loading or binding raises, the form is to mend it
            return Arguments(function, {}, self.secret), str(error)
