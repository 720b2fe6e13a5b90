"""Cut a text without cutting through a secret, which masking could not recognise any more."""

from __future__ import annotations

from collections.abc import Collection
from functools import cached_property


def cut_before(text: str, at: int, secrets: Collection[str]) -> int:
    """Return the last position up to ``at`` that no occurrence of a secret spans."""
    while span := _spanning(text, at, secrets):
        at = span[0]
    return at


def cut_after(text: str, at: int, secrets: Collection[str]) -> int:
    """Return the first position from ``at`` on that no occurrence of a secret spans."""
    while span := _spanning(text, at, secrets):
        at = span[1]
    return at


class Shortened:
    """Text of any length, of which the first and the last half of a limit are kept.

    Uses memory for a few times the limit, however much is written. Not safe for threads.
    """

    def __init__(self, limit: int, secrets: Collection[str] = ()) -> None:
        self._limit = limit
        self._secrets = secrets
        self._total = 0
        self._head: str | None = None
        self._parts: list[str] = []
        self._held = 0

    def write(self, text: str) -> None:
        """Append the text."""
        self._parts.append(text)
        self._total += len(text)
        self._held += len(text)
        if self._held > self._limit and self._held > 4 * self._window + self._limit:
            self._compact()

    def text(self) -> str:
        """Return what is kept, and in place of the rest how much was cut."""
        if self._total <= self._limit:
            return "".join(self._parts)
        head, tail, half = *self._compact(), self._limit // 2
        end = cut_before(head, half, self._secrets)
        start = cut_after(tail, max(len(tail) - half, 0), self._secrets)
        cut = self._total - end - (len(tail) - start)
        return f"{head[:end]}\n... {cut} characters cut ...\n{tail[start:]}"

    @cached_property
    def _window(self) -> int:
        """Return half the limit, and as much more as a secret may reach across the cut."""
        return self._limit // 2 + max(map(len, self._secrets), default=0)

    def _compact(self) -> tuple[str, str]:
        held = "".join(self._parts)
        if self._head is None:
            self._head = held[: self._window]
        tail = held[max(len(held) - self._window, 0) :]
        self._parts, self._held = [tail], len(tail)
        return self._head, tail


def shorten(text: str, limit: int, secrets: Collection[str] = ()) -> str:
    """Return the first and the last half of ``limit`` characters of the text, no secret cut."""
    shortened = Shortened(limit, secrets)
    shortened.write(text)
    return shortened.text()


def _spanning(text: str, at: int, secrets: Collection[str]) -> tuple[int, int] | None:
    """Return begin and end of an occurrence of a secret that a cut at ``at`` would go through."""
    for secret in secrets:
        begin = text.find(secret, max(at - len(secret) + 1, 0), at + len(secret) - 1)
        if 0 <= begin < at:
            return begin, begin + len(secret)
    return None
