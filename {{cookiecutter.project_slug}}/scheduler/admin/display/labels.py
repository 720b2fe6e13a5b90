"""Names as a page shows them: ids and references that may break after a dot, and processes."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext_lazy as _

from ...conf import conf
from ...models import Node, Term
from ...models.node import Role

DOTS, UNDERSCORES = re.compile(r"(?<=[.:/])(?=\w)"), re.compile(r"(?<=_)(?=\w)")
BREAKS_AT_UNDERSCORES_FROM = 15
"""Characters from which on a word breaks at its underscores too: else a column is too narrow."""
ROLES: dict[str, Any] = {
    **{role.value: role.label for role in Role},
    "silent": _("silent"),
}


def role(name: str) -> str:
    """Return what a page calls the role of a process."""
    return str(ROLES.get(name, name))


def breakable(text: str) -> SafeString:
    """Return ``text`` with a ``<wbr>`` wherever a line may end."""
    parts: list[str] = []
    for word in DOTS.split(text):
        parts += UNDERSCORES.split(word) if len(word) >= BREAKS_AT_UNDERSCORES_FROM else [word]
    return format_html_join(mark_safe("<wbr>"), "{}", ((part,) for part in parts))


def whole_words(text: str) -> SafeString:
    """Return ``text`` whose lines end only at a space: not at the hyphens of a date."""
    return format_html_join(" ", '<span class="sch-whole">{}</span>', ([w] for w in text.split()))


def labelled(label: str, content: object) -> SafeString:
    """Return ``content`` behind its label, which shows only where a row is drawn as a card."""
    return format_html('<span class="sch-label">{}</span>{}', label, content)


def node_names(ids: Iterable[UUID | None]) -> dict[UUID | None, str]:
    """Return ``host:pid`` by node id, also of a process that is gone, if it has led.

    Others are missing.
    """
    known = {node_id for node_id in ids if node_id}
    if not known:
        return {}
    nodes = Node.objects.using(conf().DATABASE).filter(pk__in=known)
    names: dict[UUID | None, str] = {node.pk: str(node) for node in nodes}
    if gone := known - names.keys():
        for term in Term.objects.using(conf().DATABASE).filter(node_id__in=gone):
            names[term.node_id] = f"{term.host}:{term.pid}"
    return names
