"""Pickles that only this project can have made: for projects that opt in."""

from __future__ import annotations

import base64
import pickle
from typing import Any

from django.core.signing import BadSignature, Signer

from ..conf import conf
from .errors import SerializationError

SALT = "scheduler.serialization"


def signed_pickle(value: Any, where: str) -> str:
    """Pickle ``value`` and sign it with ``SECRET_KEY``.

    Raises:
        SerializationError: it cannot be pickled.
    """
    try:
        data = pickle.dumps(value)
    except Exception as error:
        raise SerializationError(
            f"{where}: a value of type {type(value).__qualname__} cannot be pickled: {error}"
        ) from error
    return Signer(salt=SALT).sign(base64.b64encode(data).decode())


def trusted_pickle(text: Any, where: str) -> Any:
    """Return what ``signed_pickle`` was given, once its signature is checked.

    Raises:
        SerializationError: pickles are not allowed, the signature is wrong, or it cannot be read.
    """
    if not conf().ALLOW_PICKLE:
        raise SerializationError(f"{where}: is a pickle, and APSCHEDULER_ALLOW_PICKLE is not set")
    try:
        data = base64.b64decode(Signer(salt=SALT).unsign(str(text)))
    except BadSignature:
        raise SerializationError(
            f"{where}: the pickle's signature is wrong; was SECRET_KEY changed?"
        ) from None
    try:
        return pickle.loads(data)  # noqa: S301  (signed by this project)
    except Exception as error:
        raise SerializationError(f"{where}: cannot be unpickled: {error}") from error
