"""A form field for an argument of any kind: one JSON value."""

from __future__ import annotations

import inspect
import json
from dataclasses import dataclass
from typing import Any

from django import forms

from .. import serialization


@dataclass(frozen=True)
class Given:
    """A value that was entered; so that ``null`` is told from an empty field."""

    value: Any


class ArgumentField(forms.CharField):
    """JSON in, a ``Given`` out; None for an empty field."""

    def __init__(self, *, kind: Any = None, **options: Any) -> None:
        self.kind = kind
        options.setdefault("widget", forms.Textarea(attrs={"rows": 2, "class": "vLargeTextField"}))
        super().__init__(**options)

    def prepare_value(self, value: Any) -> Any:
        # A text is what the user sent: an initial value that is a str must not look like one.
        if isinstance(value, _Text):
            return str(value)
        return json_text(value) if value is not None else value

    def bound_data(self, data: Any, initial: Any) -> Any:
        return None if data is None else _Text(data)

    def has_changed(self, initial: Any, data: Any) -> bool:
        return (data or "").strip() != (json_text(initial) if initial is not None else "")

    def clean(self, value: Any) -> Given | None:
        text = super().clean(value)
        if not text:
            return None
        try:
            given = serialization.loads_args(f"[{text}]")
        except Exception as error:
            raise forms.ValidationError(_message(text, error), code="invalid") from None
        if len(given) != 1:
            raise forms.ValidationError("One JSON value is expected, not several.")
        self._check_kind(given[0])
        return Given(given[0])

    def _check_kind(self, value: Any) -> None:
        if self.kind is inspect.Parameter.VAR_POSITIONAL and not isinstance(value, (list, tuple)):
            raise forms.ValidationError("Enter a JSON list, such as [1, 2].")
        if self.kind is inspect.Parameter.VAR_KEYWORD and not isinstance(value, dict):
            raise forms.ValidationError('Enter a JSON object, such as {"limit": 10}.')


class _Text(str):
    __slots__ = ()


def json_text(value: Any) -> str:
    """As it is stored, for reading: the one element of a list of arguments."""
    stored = json.loads(serialization.dumps_args([value]))
    return json.dumps(stored[0], ensure_ascii=False)


def _message(text: str, error: Exception) -> str:
    try:
        json.loads(f"[{text}]")
    except ValueError:
        quoted = json.dumps(text.strip("'\""), ensure_ascii=False)
        return f"This is not JSON. A text needs double quotes: {quoted}"
    return str(error)
