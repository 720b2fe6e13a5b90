"""What a fork of a job function must not inherit from the scheduler.

A child that keeps the scheduler's signal handlers ignores ``Process.terminate()``; one that keeps
its sockets keeps its database sessions, and the locks they hold, alive after its death.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterable
from contextlib import suppress
from typing import Any, Protocol
from weakref import WeakSet

from django.db import connections
from django.db.backends.signals import connection_created


class Owner(Protocol):
    """An object with descriptors that belong to the scheduler alone."""

    def descriptors(self) -> Iterable[int]:
        """Return those that are open now."""


_owners: WeakSet[Owner] = WeakSet()
_opened: WeakSet[Any] = WeakSet()
_inherited: list[Any] = []
"""Connections of the parent, which no destructor may say goodbye to the server for."""
_handlers: dict[int, Any] = {}
_held = threading.local()
_installed = False


def guard_forks(signals: Iterable[int] = ()) -> None:
    """Guard each fork of this process from now on.

    Args:
        signals: those whose handlers, as they are set now, are the scheduler's.
    """
    global _installed
    _handlers.update({number: signal.getsignal(number) for number in signals})
    if not _installed:
        _installed = True
        os.register_at_fork(
            before=_hold_signals, after_in_parent=_release_signals, after_in_child=_leave_all
        )


def leave_to_parent(owner: Owner) -> None:
    """Close the owner's descriptors in each fork."""
    _owners.add(owner)


def _note(connection: Any, **_: Any) -> None:
    _opened.add(connection)


def _hold_signals() -> None:
    """Hold signals back until the child has its own handlers.

    The parent's ``terminate()`` races with the child's first steps: a signal that comes before then
    waits.
    """
    _held.mask = signal.pthread_sigmask(signal.SIG_BLOCK, _handlers)


def _release_signals() -> None:
    signal.pthread_sigmask(signal.SIG_SETMASK, _held.mask)


def _leave_all() -> None:
    for number, handler in _handlers.items():
        if signal.getsignal(number) == handler:  # else the function set its own
            default = signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL
            signal.signal(number, default)
    _release_signals()
    for owner in list(_owners):
        for descriptor in owner.descriptors():
            _deafen(descriptor)
    for connection in list(_opened):
        with suppress(Exception):
            if connection.vendor != "sqlite":
                _deafen(connection.connection.fileno())
        pools = getattr(type(connection), "_connection_pools", {})
        _inherited.extend([connection, connection.connection, dict(pools)])
        pools.clear()
    for alias in connections:
        with suppress(AttributeError):
            del connections[alias]


def _deafen(descriptor: int) -> None:
    """Put ``/dev/null`` in its place: nothing is sent, and its number is not given out again."""
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, descriptor, inheritable=False)
    os.close(nothing)


connection_created.connect(_note, dispatch_uid="scheduler.engine.executors.forks")
