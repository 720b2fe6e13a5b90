"""The version of a job that a form was opened on: it notices what changed meanwhile."""

from __future__ import annotations

import json
from typing import Any

from django.utils.crypto import constant_time_compare, salted_hmac

from ..models import Job
from ..models.runspec import RUN_SPEC_FIELDS

# What a form writes. Not next_run_time and state: those move on by themselves.
DEFINITION = ("uid", "name", "trigger", "coalesce", "misfire_grace_time", *RUN_SPEC_FIELDS)


def version_of(job: Job) -> str:
    """Return a JSON text for a hidden field; keyed, so that no argument can be guessed from it."""
    return json.dumps({name: _hmac(name, getattr(job, name)) for name in DEFINITION})


def changed_since(text: str, job: Job) -> list[str]:
    """Return the names of the columns of ``job`` that differ from the version ``text``."""
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
