"""What a kind of trigger is: one object, from which all that reads or writes triggers works.

Each kind stands beside its trigger (``interval.py`` ...) and is listed in ``kinds.py``. To add one,
write such an object and list it there: ``add_job``, the stored JSON, the descriptions and the
admin's form know it then.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

from apscheduler.triggers.base import BaseTrigger

if TYPE_CHECKING:
    from django.utils.functional import _StrOrPromise as Text


@dataclass(frozen=True)
class FormField:
    """One argument of a trigger as a field of a form."""

    argument: str
    label: Text
    type: Literal["text", "short", "whole", "choice", "moment"] = "text"
    help_text: Text = ""
    minimum: int = 0
    maximum: int | None = None
    choices: tuple[str, ...] = ()
    unchosen: Text = ""
    """What holds where none of ``choices`` is chosen, in words."""


def _as_stored(stored: dict[str, Any]) -> dict[str, Any] | None:
    return stored


@dataclass(frozen=True)
class TriggerKind:
    """A kind of trigger: how it is built, stored, described, and asked for in a form."""

    name: str
    """What ``add_job``, ``@job`` and the stored JSON call it."""
    make: Callable[..., BaseTrigger]
    """Builds a trigger from its arguments. Raises TriggerError, whose ``field`` names the one at
    fault."""
    types: tuple[type[BaseTrigger], ...] = ()
    """The classes of its triggers: ours, and APScheduler's that ``normalize`` turns into ours."""
    encode: Callable[[Any], dict[str, Any]] = field(default=lambda trigger: {})
    """The arguments that build the same trigger, as JSON; None stands for "not given"."""
    describe: Callable[[Any], str] = str
    """The trigger in words of the current language."""
    normalize: Callable[[Any], BaseTrigger] = field(default=lambda trigger: trigger)
    """APScheduler's trigger as ours. Raises TriggerError where it cannot work."""
    label: Text = ""
    """Its name in the admin's form; empty: it is entered as JSON only."""
    fields: tuple[FormField, ...] = ()
    has_window: bool = False
    """Whether the form asks for ``start_date``, ``end_date`` and ``jitter``, too."""
    to_form: Callable[[dict[str, Any]], dict[str, Any] | None] = _as_stored
    """The values of the form's fields for a stored trigger; None: only JSON can say it."""
    from_form: Callable[[dict[str, Any]], dict[str, Any]] = field(default=lambda values: values)
    """The trigger's arguments for the values of the form's fields."""

    @cached_property
    def arguments(self) -> tuple[str, ...]:
        """Return the names of the arguments that ``make`` takes."""
        return tuple(inspect.signature(self.make).parameters)


_kinds: dict[str, TriggerKind] = {}
_by_type: dict[type, TriggerKind] = {}
KINDS: Mapping[str, TriggerKind] = _kinds
"""Every kind by its name."""


def register(kind: TriggerKind) -> TriggerKind:
    """Add a kind of trigger to ``KINDS``."""
    _kinds[kind.name] = kind
    _by_type.update(dict.fromkeys(kind.types, kind))
    return kind


def kind_of(trigger: BaseTrigger) -> TriggerKind | None:
    """Return the kind of the trigger; None for a class that no kind names, subclasses included."""
    return _by_type.get(type(trigger))
