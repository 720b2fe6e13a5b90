"""One form field for each parameter of a job's function, and back to arguments."""

from __future__ import annotations

import inspect
import types
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any, Union, get_args, get_origin
from uuid import UUID

from django import forms
from django.contrib.admin import widgets

from .json_field import ArgumentField, Given

PREFIX = "arg_"


class _YesNo(forms.NullBooleanSelect):
    """Its third choice leaves the argument to its default."""

    def __init__(self, attrs: Any = None) -> None:
        super().__init__(attrs)
        self.choices = [("unknown", "default"), ("true", "yes"), ("false", "no")]


Kind = inspect.Parameter
TYPED: dict[type, tuple[type[forms.Field], dict[str, Any]]] = {
    bool: (forms.NullBooleanField, {"widget": _YesNo}),
    int: (forms.IntegerField, {"widget": widgets.AdminIntegerFieldWidget}),
    float: (forms.FloatField, {}),
    Decimal: (forms.DecimalField, {}),
    str: (forms.CharField, {"strip": False, "widget": widgets.AdminTextInputWidget}),
    datetime: (forms.DateTimeField, {"widget": forms.DateTimeInput(attrs={"class": "vTextField"})}),
    date: (forms.DateField, {"widget": forms.DateInput(attrs={"class": "vDateField"})}),
    time: (forms.TimeField, {}),
    UUID: (forms.UUIDField, {"widget": widgets.AdminTextInputWidget}),
}


class Arguments:
    """The parameters of ``function`` as fields; ``stored`` holds what a job passes now."""

    def __init__(
        self,
        function: Callable[..., Any],
        stored: Mapping[str, Any] | None = None,
        sensitive: Iterable[str] = (),
    ) -> None:
        self.signature = signature_of(function)
        self.stored = dict(stored or {})
        self.sensitive = frozenset(sensitive)

    def fields(self) -> dict[str, forms.Field]:
        return {
            PREFIX + name: self._field(parameter)
            for name, parameter in self.signature.parameters.items()
        }

    def bound(self, cleaned: Mapping[str, Any]) -> tuple[list[Any], dict[str, Any]]:
        """Arguments from the cleaned values of the fields.

        Raises:
            TypeError: the function does not take them.
        """
        args: list[Any] = []
        kwargs: dict[str, Any] = {}
        extra = self._extra(cleaned)
        for parameter in self.signature.parameters.values():
            value = self._value(parameter, cleaned)
            if parameter.kind is Kind.VAR_POSITIONAL:
                args.extend(extra)
            elif parameter.kind is Kind.VAR_KEYWORD:
                kwargs.update({} if value is Kind.empty else value)
            elif value is not Kind.empty:
                by_place = parameter.kind is Kind.POSITIONAL_ONLY or (
                    extra and parameter.kind is Kind.POSITIONAL_OR_KEYWORD
                )
                if by_place:
                    args.append(value)
                else:
                    kwargs[parameter.name] = value
            elif extra and parameter.kind is Kind.POSITIONAL_OR_KEYWORD:
                args.append(parameter.default)  # what follows by place needs it
        self.signature.bind(*args, **kwargs)
        return args, kwargs

    def _value(self, parameter: Kind, cleaned: Mapping[str, Any]) -> Any:
        """``Parameter.empty`` stands for: left to the default."""
        value = cleaned.get(PREFIX + parameter.name)
        if isinstance(value, Given):
            return value.value
        if value is None or value == "":
            kept = parameter.name in self.sensitive and parameter.name in self.stored
            return self.stored[parameter.name] if kept else Kind.empty
        return value

    def _extra(self, cleaned: Mapping[str, Any]) -> list[Any]:
        for parameter in self.signature.parameters.values():
            if parameter.kind is Kind.VAR_POSITIONAL:
                value = self._value(parameter, cleaned)
                return [] if value is Kind.empty else list(value)
        return []

    def _field(self, parameter: Kind) -> forms.Field:
        known = parameter.name in self.stored
        secret = parameter.name in self.sensitive
        variable = parameter.kind in (Kind.VAR_POSITIONAL, Kind.VAR_KEYWORD)
        options: dict[str, Any] = {
            "label": _label(parameter),
            "required": parameter.default is Kind.empty and not variable and not (secret and known),
            "help_text": _help(parameter, secret and known),
        }
        if known and not secret:
            options["initial"] = self.stored[parameter.name]
        annotated = _annotated(parameter)
        fits = not known or secret or type(self.stored[parameter.name]) is annotated
        if annotated in TYPED and fits and not variable:
            make, extra = TYPED[annotated]
            options |= extra
        else:
            make, options["kind"] = ArgumentField, parameter.kind
        if secret:
            options["widget"] = forms.PasswordInput(attrs={"autocomplete": "off"})
        return make(**options)


def stored_by_name(
    function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]
) -> dict[str, Any]:
    """What a job passes, by parameter.

    Raises:
        TypeError: the function does not take it.
    """
    return dict(signature_of(function).bind(*args, **kwargs).arguments)


def signature_of(function: Callable[..., Any]) -> inspect.Signature:
    """With annotations as types where they can be evaluated."""
    try:
        return inspect.signature(function, eval_str=True)
    except Exception:  # an annotation may name what exists for type checkers only
        return inspect.signature(function)


def _annotated(parameter: Kind) -> Any:
    """``int`` for ``int | None`` too: an empty field stands for the default."""
    annotation = parameter.annotation
    if get_origin(annotation) in (Union, types.UnionType):
        members = [each for each in get_args(annotation) if each is not type(None)]
        return members[0] if len(members) == 1 else annotation
    return annotation


def _label(parameter: Kind) -> str:
    stars: dict[Any, str] = {Kind.VAR_POSITIONAL: "*", Kind.VAR_KEYWORD: "**"}
    return stars.get(parameter.kind, "") + parameter.name


def _help(parameter: Kind, kept: bool) -> str:
    if kept:
        return "Sensitive: not shown. Leave empty to keep it."
    if parameter.kind is Kind.VAR_POSITIONAL:
        return "Further arguments, as a JSON list."
    if parameter.kind is Kind.VAR_KEYWORD:
        return "Further named arguments, as a JSON object."
    annotated = _annotated(parameter)
    kind = annotated.__name__ if isinstance(annotated, type) else str(annotated)
    words = [] if annotated is Kind.empty else [kind]
    if annotated not in TYPED:
        words.append('a JSON value: 5, true, "text", [1, 2]')
    if parameter.default is not Kind.empty:
        words.append(f"empty: {parameter.default!r}")
    return "; ".join(words)
