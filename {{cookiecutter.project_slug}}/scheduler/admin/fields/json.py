"""A form field for an argument of any kind: one JSON value."""

from __future__ import annotations

import inspect
import json
from dataclasses import dataclass
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ... import serialization

NOT_JSON = gettext_lazy("This is not JSON. A text needs double quotes")


@dataclass(frozen=True)
class Given:
    """A value that is stored or was entered; so that ``null`` is told from an empty field."""

    value: Any


class ArgumentField(forms.CharField):
    """JSON in, a ``Given`` out; None for an empty field. Its initial value is a ``Given`` too."""

    kind: Any = None
    """Of the parameter."""

    def __init__(self, **options: Any) -> None:
        options.setdefault("widget", forms.Textarea(attrs={"rows": 2, "class": "vLargeTextField"}))
        super().__init__(**options)

    def prepare_value(self, value: Any) -> Any:
        return json_text(value.value) if isinstance(value, Given) else value

    def has_changed(self, initial: Any, data: Any) -> bool:
        return (data or "").strip() != (self.prepare_value(initial) or "")

    def clean(self, value: Any) -> Given | None:
        text = super().clean(value)
        if not text:
            return None
        try:
            given = serialization.loads_args(f"[{text}]")
        except Exception as error:
            secret = isinstance(self.widget, forms.PasswordInput)
            message = NOT_JSON if secret else _message(text, error)
            raise forms.ValidationError(message, code="invalid") from None
        if len(given) != 1:
            raise forms.ValidationError(_("One JSON value is expected, not several."))
        self._check_kind(given[0])
        return Given(given[0])

    def _check_kind(self, value: Any) -> None:
        if self.kind is inspect.Parameter.VAR_POSITIONAL and not isinstance(value, (list, tuple)):
            raise forms.ValidationError(_("Enter a JSON list, such as [1, 2]."))
        if self.kind is inspect.Parameter.VAR_KEYWORD and not isinstance(value, dict):
            raise forms.ValidationError(_('Enter a JSON object, such as {"limit": 10}.'))


def json_text(value: Any) -> str:
    """Return the JSON that is stored, for reading: the one element of a list of arguments."""
    stored = json.loads(serialization.dumps_args([value]))
    return serialization.readable(stored[0])


def _message(text: str, error: Exception) -> str:
    try:
        serialization.parse(f"[{text}]")
    except json.JSONDecodeError:
        quoted = serialization.readable(text.strip("'\""))
        return f"{NOT_JSON}: {quoted}"
    except ValueError:  # nested too deeply, which the error says as well
        pass
    return str(error)
