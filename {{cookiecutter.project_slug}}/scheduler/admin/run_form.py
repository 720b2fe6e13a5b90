"""The arguments of a run that somebody asks for: the job's own, unless others are entered."""

from __future__ import annotations

from typing import Any

from django import forms

from .. import functions, serialization
from ..masking import sensitive_names
from ..models import Job
from .argument_fields import PREFIX, Arguments, stored_by_name


class RunForm(forms.Form):
    """``call``: arguments and keyword arguments, both None for the job's own."""

    call: tuple[list[Any] | None, dict[str, Any] | None] = (None, None)

    def __init__(self, data: Any = None, *, job: Job) -> None:
        super().__init__(data)
        self.job = job
        self.problem = ""
        self.arguments = self._arguments()
        if self.arguments:
            self.fields |= self.arguments.fields()

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        changed = any(name.startswith(PREFIX) for name in self.changed_data)
        if self.arguments and changed and not self.errors:
            try:
                self.call = self.arguments.bound(cleaned, self.changed_data)
            except TypeError as error:
                self.add_error(None, f"The function does not take these arguments: {error}")
        return cleaned

    def _arguments(self) -> Arguments | None:
        try:
            function = functions.resolve(self.job.func)
            args = serialization.loads_args(self.job.args)
            kwargs = serialization.loads_kwargs(self.job.kwargs)
            stored = stored_by_name(function, args, kwargs)
        except Exception as error:  # whatever importing a user's module raises
            self.problem = str(error)
            return None
        return Arguments(function, stored, sensitive_names(self.job))
