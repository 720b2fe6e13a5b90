"""One form field for each parameter of a job's function, and back to arguments."""

from __future__ import annotations

import inspect
import types
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any, Union, get_args, get_origin
from uuid import UUID

from django import forms
from django.contrib.admin import widgets
from django.utils.translation import gettext as _

from .json import ArgumentField, Given

PREFIX = "arg_"


class _YesNo(forms.NullBooleanSelect):
    """Its third choice leaves the argument to its default."""

    def __init__(self, attrs: Any = None) -> None:
        super().__init__(attrs)
        self.choices = [("unknown", _("default")), ("true", _("yes")), ("false", _("no"))]


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
JSON: tuple[type[forms.Field], dict[str, Any]] = (ArgumentField, {})


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
        """Return a form field for each parameter."""
        return {
            PREFIX + name: self._field(parameter)
            for name, parameter in self.signature.parameters.items()
        }

    @property
    def secret(self) -> list[str]:
        """Return the fields that never show what is in them."""
        parameters = self.signature.parameters.values()
        return [PREFIX + each.name for each in parameters if self._is_secret(each)]

    def bound(
        self, cleaned: Mapping[str, Any], changed: Container[str]
    ) -> tuple[list[Any], dict[str, Any]]:
        """Return arguments from the ``changed`` fields' cleaned values; the others stay as stored.

        Raises:
            TypeError: the function does not take them.
        """
        args: list[Any] = []
        kwargs: dict[str, Any] = {}
        extra = self._extra(cleaned, changed)
        for parameter in self.signature.parameters.values():
            value = self._value(parameter, cleaned, changed)
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

    def _value(self, parameter: Kind, cleaned: Mapping[str, Any], changed: Container[str]) -> Any:
        """Return the parameter's value; ``Parameter.empty``: left to the default."""
        if parameter.name in self.stored and PREFIX + parameter.name not in changed:
            return self.stored[parameter.name]
        value = cleaned.get(PREFIX + parameter.name)
        if isinstance(value, Given):
            return value.value
        return Kind.empty if value is None or value == "" else value

    def _extra(self, cleaned: Mapping[str, Any], changed: Container[str]) -> list[Any]:
        for parameter in self.signature.parameters.values():
            if parameter.kind is Kind.VAR_POSITIONAL:
                value = self._value(parameter, cleaned, changed)
                return [] if value is Kind.empty else list(value)
        return []

    def _field(self, parameter: Kind) -> forms.Field:
        known, secret = parameter.name in self.stored, self._is_secret(parameter)
        kept = known and secret
        variable = parameter.kind in (Kind.VAR_POSITIONAL, Kind.VAR_KEYWORD)
        options: dict[str, Any] = {
            "label": _label(parameter),
            "required": parameter.default is Kind.empty and not variable and not kept,
        }
        if secret:
            options["widget"] = forms.PasswordInput(attrs={"autocomplete": "off"})
        make, extra = JSON if variable else TYPED.get(_annotated(parameter), JSON)
        field = make(**{**extra, **options})
        if known and not kept:
            value = self.stored[parameter.name]
            if not _carries(field, value):
                field, value = ArgumentField(**options), Given(value)
            field.initial = value
        if isinstance(field, ArgumentField):
            field.kind = parameter.kind
        field.help_text = _help(parameter, field, kept)
        return field

    def _is_secret(self, parameter: Kind) -> bool:
        """Return whether it is sensitive; ``**options`` are, where anything in them is."""
        through = self.stored.get(parameter.name) if parameter.kind is Kind.VAR_KEYWORD else None
        return not self.sensitive.isdisjoint([parameter.name, *(through or ())])


def stored_by_name(
    function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]
) -> dict[str, Any]:
    """Return what a job passes, by parameter.

    Raises:
        TypeError: the function does not take it.
    """
    return dict(signature_of(function).bind(*args, **kwargs).arguments)


def signature_of(function: Callable[..., Any]) -> inspect.Signature:
    """Return the signature, with annotations as types where they can be evaluated."""
    try:
        return inspect.signature(function, eval_str=True)
    except Exception:  # an annotation may name what exists for type checkers only
        return inspect.signature(function)


def ask_again(form: Any) -> None:
    """Add an error to each secret field of a form that is drawn again, which comes back empty.

    Saved as it is then, the form would keep what the secret was.
    """
    for name in form.arguments.secret if form.arguments else ():
        if form.data.get(name) and name not in form.errors:
            form.add_error(name, _("Enter it again: it is not sent back."))


def _carries(field: forms.Field, value: Any) -> bool:
    """Return whether just this value comes back from a browser where nobody touched the field.

    An empty field stands for the default, and no line of text holds a line break.
    """
    shown = field.widget.format_value(field.prepare_value(value))
    try:
        back = field.clean(shown)
    except forms.ValidationError:
        return False
    # A whole number in a field for any number stays as it is stored while nobody changes it.
    alike = type(back) is type(value) or (type(value) is int and type(back) is float)
    same = alike and back == value
    return same and bool(shown) and str(shown).isprintable()


def _annotated(parameter: Kind) -> Any:
    """Return the annotated type, ``int`` for ``int | None`` too: an empty field is the default."""
    annotation = parameter.annotation
    if get_origin(annotation) in (Union, types.UnionType):
        members = [each for each in get_args(annotation) if each is not type(None)]
        return members[0] if len(members) == 1 else annotation
    return annotation


def _label(parameter: Kind) -> str:
    stars: dict[Any, str] = {Kind.VAR_POSITIONAL: "*", Kind.VAR_KEYWORD: "**"}
    return stars.get(parameter.kind, "") + parameter.name


def _help(parameter: Kind, field: forms.Field, kept: bool) -> str:
    if kept:
        return _("Sensitive: not shown. Leave empty to keep it.")
    if parameter.kind is Kind.VAR_POSITIONAL:
        return _("Further arguments, as a JSON list.")
    if parameter.kind is Kind.VAR_KEYWORD:
        return _("Further named arguments, as a JSON object.")
    annotated = _annotated(parameter)
    kind = annotated.__name__ if isinstance(annotated, type) else str(annotated)
    words = [] if annotated is Kind.empty else [kind]
    if isinstance(field, ArgumentField):
        words.append(_('a JSON value: 5, true, "text", [1, 2]'))
    if parameter.default is not Kind.empty:
        words.append(_("empty: %(default)s") % {"default": repr(parameter.default)})
    return "; ".join(words)
