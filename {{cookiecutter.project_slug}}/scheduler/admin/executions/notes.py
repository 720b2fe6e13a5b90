"""What a list of executions says about itself: what was not searched, and what cannot be asked."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.translation import gettext as _

from ...models.execution import Kind
from ..display.outcomes import statuses
from . import query
from .details import nodes_named
from .query import SPANS, Cursor, ExecutionQuery, moment

MAX_VALUE = 60
"""Characters of a value in a note."""


def not_searched(asked: ExecutionQuery) -> list[str]:
    """Return a sentence for each bound that the search met."""
    notes = []
    if asked.window:
        notes.append(
            _("Only executions from #%(number)s on were searched.") % {"number": asked.window}
        )
    if asked.more_jobs:
        notes.append(
            _("More than %(number)s jobs match: only the first of them were searched.")
            % {"number": query.MAX_JOBS}
        )
    if asked.removed_from:
        notes.append(
            _("Removed jobs were looked for by name among executions from #%(number)s on.")
            % {"number": asked.removed_from}
        )
    return notes


def unreadable(params: Mapping[str, str], asked: ExecutionQuery) -> list[str]:
    """Return a sentence for each value that no filter knows, and was therefore passed over."""
    known = {
        "status": statuses,
        "kind": lambda text: text in Kind.values,
        "when": lambda text: text in SPANS,
    }
    notes = [
        _("No filter “%(name)s” has the value “%(value)s”: left out.")
        % {"name": name, "value": params[name][:MAX_VALUE]}
        for name, knows in known.items()
        if params.get(name) and not knows(params[name])
    ]
    notes += [
        _("“%(value)s” is no time: left out. Write one such as 2026-11-27T14:00.")
        % {"value": params[name][:MAX_VALUE]}
        for name in ("from", "to")
        if params.get(name) and moment(params[name]) is None
    ]
    since, until = (moment(params.get(name, "")) for name in ("from", "to"))
    if since and until and until <= since:
        notes.append(_("No time is both after “from” and before “to”: exchange them."))
    if any(params.get(name) and Cursor.parse(params[name]) is None for name in ("before", "after")):
        notes.append(_("There is no such place in the list: these are the newest."))
    node = asked.details.node
    if node and not nodes_named(node, asked.using):
        notes.append(
            _("No scheduler process on a host like “%(value)s” is known.")
            % {"value": node[:MAX_VALUE]}
        )
    return notes
