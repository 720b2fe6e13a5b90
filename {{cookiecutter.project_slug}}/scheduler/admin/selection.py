"""What a list was asked for by hand: keys and filters that no row can have."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from typing import Any

from django.contrib import messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.views.main import ALL_VAR, ERROR_FLAG, ORDER_VAR, PAGE_VAR, SEARCH_VAR
from django.http import HttpRequest, HttpResponseRedirect
from django.utils.translation import gettext as _

NUL = "\0"
OF_DJANGO = (ALL_VAR, ERROR_FLAG, ORDER_VAR, PAGE_VAR, SEARCH_VAR)
MAX_NAME = 40
"""Characters of a filter's name in a message."""


def without_nul(key: str) -> bool:
    """Return whether a database takes ``key`` as text: PostgreSQL refuses NUL characters."""
    return NUL not in key


def whole_number(key: str) -> bool:
    """Return whether ``key`` can be the number of a row."""
    return key.isdecimal() and len(key) < 19


def drop_impossible_keys(request: HttpRequest, is_possible: Callable[[str], bool]) -> None:
    """Drop ticked keys that no row can have; if none is left, Django asks to tick something."""
    if ACTION_CHECKBOX_NAME not in request.POST:
        return
    data: Any = request.POST.copy()
    keys = data.getlist(ACTION_CHECKBOX_NAME)
    data.setlist(ACTION_CHECKBOX_NAME, [key for key in keys if is_possible(key)])
    request.POST = data


def refuse_unknown(
    request: HttpRequest, known: Mapping[str, Container[str] | None]
) -> HttpResponseRedirect | None:
    """Redirect to the list without filters and values that there are not, and name them.

    Django would show all rows, and not say why.

    Args:
        known: the list's filters, besides those that every list has, and what values each has;
            None: any, or the list itself says what it leaves out.
    """
    asked = request.GET.copy()
    unknown = [name for name in asked if name not in (*known, *OF_DJANGO)]
    odd = {
        name: asked[name]
        for name, values in known.items()
        if asked.get(name) and values is not None and asked[name] not in values
    }
    if not unknown and not odd and ERROR_FLAG not in asked:
        return None
    for name in (*unknown, *odd):
        del asked[name]
    if asked.pop(ERROR_FLAG, None):  # the list refused a page or a value
        messages.error(request, _("There is no such page or filter. This is the first page."))
    if unknown:
        names = ", ".join(name[:MAX_NAME] for name in unknown)
        messages.error(request, _("There is no filter %(names)s: left out.") % {"names": names})
    for name, value in odd.items():
        messages.error(
            request,
            _("No filter “%(name)s” has the value “%(value)s”: left out.")
            % {"name": name, "value": value[:MAX_NAME]},
        )
    query = asked.urlencode()
    return HttpResponseRedirect(f"{request.path}?{query}" if query else request.path)


def refuse_nul(request: HttpRequest) -> HttpResponseRedirect | None:
    """Redirect to the unfiltered list with a message, if a filter has a NUL character."""
    if not any(NUL in text for values in request.GET.lists() for text in values[1]):
        return None
    messages.error(
        request, _("A filter had a character that no text can have. All rows are shown.")
    )
    return HttpResponseRedirect(request.path)
