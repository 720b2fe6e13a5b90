"""Triggers as JSON that an operator can read and write.

Instants are in UTC beside the zone's name, cron fields are expressions, intervals are exact
numbers: ``{"hour":"3","minute":"0","timezone":"Europe/Berlin","type":"cron"}``.
"""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

from apscheduler.triggers.base import BaseTrigger

from .errors import TriggerError
from .factory import build, normalize
from .kind import KINDS, kind_of

_CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"))
MAX_LENGTH = 20_000
"""Characters of a stored trigger: some hundred members of a combination."""


def dumps(trigger: BaseTrigger) -> str:
    """Return the one canonical text of the trigger: sorted keys, no spaces.

    Raises:
        TriggerError: not one of the known kinds, a zone without a name, or a text that is too long.
    """
    text = _CANONICAL.encode(encode(normalize(trigger)))
    if len(text) > MAX_LENGTH:
        raise TriggerError(
            f"a trigger of {len(text)} characters is too long: at most {MAX_LENGTH} can be stored"
        )
    return text


@lru_cache(maxsize=4096)
def loads(text: str) -> BaseTrigger:
    """Return the trigger that ``text`` describes. Cached: equal texts give one shared trigger.

    Raises:
        TriggerError: what is wrong, and where.
    """
    try:
        data = json.loads(text)
    except (TypeError, ValueError) as error:
        raise TriggerError(f"the trigger is not JSON: {error}") from None
    except RecursionError:
        raise TriggerError("the trigger is nested too deeply") from None
    if not isinstance(data, dict):
        raise TriggerError(f"the trigger is not a JSON object: {text[:80]}")
    return build(data.pop("type", None), **data)


def encode(trigger: BaseTrigger) -> dict[str, Any]:
    """Return the trigger's kind and arguments, as JSON holds them.

    Raises:
        TriggerError: not one of the known kinds.
    """
    kind = kind_of(trigger)
    if kind is None:
        raise TriggerError(
            f"a trigger of type {type(trigger).__module__}.{type(trigger).__qualname__} cannot be "
            f"stored; use a trigger of type {', '.join(KINDS)}"
        )
    arguments = {name: value for name, value in kind.encode(trigger).items() if value is not None}
    return {"type": kind.name, **arguments}
