"""A definition as it was read, so that a form notices when somebody else has changed it since."""

from __future__ import annotations

import json
from typing import Any

from django.utils.crypto import constant_time_compare, salted_hmac

from ..models import Job
from ..models.policies import POLICY_FIELDS

# What a form writes. Not next_run_time and state: those move on by themselves.
DEFINITION = ("uid", "name", "trigger", "coalesce", "misfire_grace_time", *POLICY_FIELDS)


def taken(job: Job) -> str:
    """A text for a hidden field. Keyed, so that no argument can be guessed from it."""
    return json.dumps({name: _hmac(name, getattr(job, name)) for name in DEFINITION})


def changed_since(text: str, job: Job) -> list[str]:
    """The columns of ``job`` that differ from what ``text`` was taken of."""
    try:
        read: dict[str, Any] = dict(json.loads(text))
    except (TypeError, ValueError):
        return list(DEFINITION)
    return [
        name
        for name in DEFINITION
        if not constant_time_compare(str(read.get(name)), _hmac(name, getattr(job, name)))
    ]


def _hmac(name: str, value: Any) -> str:
    mac = salted_hmac(f"scheduler.admin.{name}", repr(value), algorithm="sha256")
    return mac.hexdigest()[:16]
