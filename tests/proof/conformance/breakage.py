"""Ways in which a database connection fails, done to one peer's own connection."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import OperationalError, connection, connections

from .peers import Peer


class Lost(OperationalError):
    """The reply to a commit did not come. The commit itself was done."""


@contextmanager
def lost_reply(peer: Peer, nth: int = 1) -> Iterator[list[int]]:
    """The reply to the peer's ``nth`` commit from here on is lost; yields the commits so far."""
    wrapper = peer.do(lambda: connections["default"])
    commit, seen = wrapper._commit, []

    def commit_unheard() -> None:
        commit()
        seen.append(len(seen) + 1)
        if len(seen) == nth:
            wrapper.connection.close()
            raise Lost("server closed the connection unexpectedly")

    wrapper._commit = commit_unheard
    try:
        yield seen
    finally:
        del wrapper._commit


@contextmanager
def away(*peers: Peer) -> Iterator[None]:
    """For these peers there is no database: what they dial does not answer."""
    nowhere: dict[str, Any] = {"NAME": "/nowhere/at/all"}
    if connection.vendor != "sqlite":
        nowhere = {"HOST": "127.0.0.1", "PORT": "1"}
    wrappers = [peer.do(lambda: connections["default"]) for peer in peers]
    dialled = [wrapper.settings_dict for wrapper in wrappers]
    for peer, wrapper in zip(peers, wrappers, strict=True):
        wrapper.settings_dict = {**wrapper.settings_dict, **nowhere}
        peer.do(wrapper.close)
    try:
        yield
    finally:  # not in the peer's thread, which may be busy
        for wrapper, settings in zip(wrappers, dialled, strict=True):
            wrapper.settings_dict = settings


READ_ONLY = {
    "sqlite": {"init_command": "PRAGMA query_only = ON"},
    "postgresql": {"options": "-c default_transaction_read_only=on"},
    "mysql": {"init_command": "SET SESSION TRANSACTION READ ONLY"},
}


@contextmanager
def refusing_writes(peer: Peer) -> Iterator[None]:
    """For this peer the database answers what it is asked, and stores nothing."""
    wrapper = peer.do(lambda: connections["default"])
    usual = wrapper.settings_dict
    options = {**usual["OPTIONS"], **READ_ONLY[connection.vendor]}
    wrapper.settings_dict = {**usual, "OPTIONS": options}
    peer.do(wrapper.close)
    try:
        yield
    finally:
        wrapper.settings_dict = usual
        peer.do(wrapper.close)
