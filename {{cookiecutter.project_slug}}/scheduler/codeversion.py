"""Which code a process runs: a digest of the project's own apps, taken when it is first asked for.

A web worker and a scheduler whose digests differ run different code: one of them was not restarted.
"""

from __future__ import annotations

import hashlib
import sys
from functools import cache
from pathlib import Path

from django.apps import apps
from django.conf import settings

from .db.clock import monotonic

CHECK_INTERVAL = 10.0
"""Seconds between two readings of the files."""
RESTART = "The code has changed since this scheduler started: restart it."

_changed = False
_check_at = 0.0


@cache
def digest() -> str:
    """Return the digest of the code as it was when this process first asked, at its start."""
    _settings_at_start()
    return read()


def read() -> str:
    """Return the digest of the code as it is on disk now.

    Only apps outside of ``site-packages`` count: packages change with a new environment.
    """
    hashed = hashlib.sha256()
    for config in sorted(apps.get_app_configs(), key=lambda config: config.label):
        folder = Path(config.path)
        if "site-packages" in folder.parts:
            continue
        for file in sorted(folder.rglob("*.py")):
            try:
                content = file.read_bytes()
            except OSError:  # it was removed since
                continue
            hashed.update(f"{config.label}/{file.relative_to(folder)}\0{len(content)}\0".encode())
            hashed.update(content)
    return hashed.hexdigest()[:16]


def is_outdated() -> bool:
    """Return whether the code, or the settings, have changed since this process started."""
    global _changed, _check_at
    if not _changed and monotonic() >= _check_at:
        _check_at = monotonic() + CHECK_INTERVAL
        _changed = read() != digest() or _settings() != _settings_at_start()
    return _changed


@cache
def _settings_at_start() -> bytes:
    return _settings()


def _settings() -> bytes:
    """Return the text of the settings module, where a new app is named.

    It is no part of the digest: processes of one cluster may have settings of their own.
    """
    module = sys.modules.get(settings.SETTINGS_MODULE or "")
    try:
        return Path(getattr(module, "__file__", None) or "").read_bytes()
    except OSError:
        return b""
