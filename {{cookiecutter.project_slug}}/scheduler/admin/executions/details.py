"""What no index serves of a search: who asked for a run, where it ran, what its message says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self
from uuid import UUID

from django.db.models import Q

from ...masking import scrubbed
from ...models import Execution, Node, Term

MAX_NODES = 200
"""Processes that a part of a host's name may stand for, the newest of them."""
MAX_PID = 9
"""Digits of a process id."""


@dataclass(frozen=True)
class Details:
    """Parts of texts, in any case; an empty one asks for nothing."""

    requester: str = ""
    node: str = ""
    message: str = ""

    @classmethod
    def read(cls, params: Mapping[str, str]) -> Self:
        """Read the query parameters ``by``, ``node`` and ``error``."""
        return cls(*(params.get(name, "").strip() for name in ("by", "node", "error")))

    def __bool__(self) -> bool:
        return bool(self.requester or self.node or self.message)

    def condition(self, using: str) -> Q:
        """Return the condition on executions."""
        asked = Q()
        if self.requester:
            asked &= Q(requested_by__icontains=self.requester)
        if self.node:
            asked &= Q(node_id__in=nodes_named(self.node, using))
        if self.message:
            asked &= Q(exception__icontains=self.message) | Q(reason__icontains=self.message)
        return asked

    def may_show(self, execution: Execution) -> bool:
        """Return whether the text was found in what the page shows of the message.

        Else a secret that is masked there could be guessed letter by letter.
        """
        text = f"{execution.exception}\n{execution.reason}" if self.message else ""
        shown = scrubbed(text, execution)
        return shown == text or self.message.lower() in shown.lower()


def nodes_named(text: str, using: str) -> list[UUID]:
    """Return the ids of processes by a part of their host's name, or by ``host:pid``.

    A process that is gone has no row any more, but a term where it led.
    """
    match = Q(host__icontains=text)
    host, _, pid = text.rpartition(":")
    if host and pid.isdecimal() and len(pid) <= MAX_PID:
        match |= Q(host__iexact=host, pid=int(pid))
    nodes = Node.objects.using(using).filter(match).order_by("-started_at")
    terms = Term.objects.using(using).filter(match).order_by("-term")
    found = [
        *nodes.values_list("pk", flat=True)[:MAX_NODES],
        *terms.values_list("node_id", flat=True)[:MAX_NODES],
    ]
    return list(dict.fromkeys(found))
