"""Arguments and return values as JSON that survives upgrades and runs nothing when loaded.

What JSON has no word for travels in an object with one ``$`` key: ``{"$date":"2026-03-29"}``.
Only exact types are accepted, so that a value comes back equal and of the same type. With
``APSCHEDULER_ALLOW_PICKLE`` other values travel as pickles signed with ``SECRET_KEY``.
"""

from .arguments import dumps_args, dumps_kwargs, loads_args, loads_kwargs
from .errors import SerializationError
from .results import dumps_result
from .size import exceeds
from .text import parse, readable

__all__ = [
    "SerializationError",
    "dumps_args",
    "dumps_kwargs",
    "dumps_result",
    "exceeds",
    "loads_args",
    "loads_kwargs",
    "parse",
    "readable",
]
