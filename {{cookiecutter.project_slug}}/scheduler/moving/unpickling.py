"""Read a pickled job without running what else a pickle may hold.

Only APScheduler's triggers and plain values are built. A class of the project is named and
refused, unless the project allows pickles (``APSCHEDULER_ALLOW_PICKLE``).
"""

from __future__ import annotations

import io
import pickle
from datetime import UTC, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from ..conf import conf

MODULES = ("apscheduler.triggers.", "datetime", "zoneinfo", "decimal", "uuid", "collections")
BUILTINS = {"set", "frozenset", "bytearray", "complex", "range", "slice", "object"}


class RefusedPickle(pickle.UnpicklingError):
    """The pickle names something that is not to be built."""


def state_of(data: bytes) -> dict[str, Any]:
    """The state of an APScheduler job.

    Raises:
        Exception: whatever broken or foreign data leads to.
    """
    state = _Unpickler(io.BytesIO(data)).load()
    if not isinstance(state, dict) or not {"func", "trigger"} <= state.keys():
        raise RefusedPickle("this is no pickled APScheduler job")
    return state


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) in ZONES:
            return ZONES[module, name]
        known = any(module == each.rstrip(".") or module.startswith(each) for each in MODULES)
        plain = module == "builtins" and name in BUILTINS
        if known or plain or (module, name) in HELPERS or conf().ALLOW_PICKLE:
            return super().find_class(module, name)
        raise RefusedPickle(
            f"it holds {module}.{name}, which is neither a trigger nor a plain value; "
            "APSCHEDULER_ALLOW_PICKLE = True lets it in"
        )


def _pytz(zone: str, *_: Any) -> tzinfo:
    return ZoneInfo(zone)


def _utc() -> tzinfo:
    return UTC


def _unpickle_of(owner: Any, name: str) -> Any:
    """A pickled zone asks for this attribute of its class; nothing else may ask for any."""
    if owner is ZoneInfo and name == "_unpickle":
        return getattr(owner, name)
    raise RefusedPickle(f"it asks for {name} of {owner!r}")


HELPERS = {("copyreg", "_reconstructor"), ("copyreg", "__newobj__")}
ZONES = {
    ("builtins", "getattr"): _unpickle_of,
    ("pytz", "_p"): _pytz,
    ("pytz", "_UTC"): _utc,
    ("backports.zoneinfo", "ZoneInfo._unpickle"): ZoneInfo._unpickle,  # type: ignore[attr-defined]
}
