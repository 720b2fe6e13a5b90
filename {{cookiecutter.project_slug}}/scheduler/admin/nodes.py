"""The scheduler processes, as the pages name them."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from ..conf import conf
from ..models import Node


def node_names(ids: Iterable[UUID | None]) -> dict[UUID | None, str]:
    """``host:pid`` by id; a node whose row is gone is missing."""
    known = [node_id for node_id in ids if node_id]
    if not known:
        return {}
    return {node.pk: str(node) for node in Node.objects.using(conf().DATABASE).filter(pk__in=known)}
