"""A language in which every text that is looked up is wrapped: what is not wrapped was not marked.

Each message, Django's own included, comes back as ⟦message⟧; its placeholders are filled in later.
"""

from __future__ import annotations

import gettext
import re
from collections.abc import Iterator
from contextlib import contextmanager
from html.parser import HTMLParser

from django.utils import translation
from django.utils.translation import trans_real

CODE = "xx"
OPEN, CLOSE = "⟦", "⟧"
CONTEXT = trans_real.CONTEXT_SEPARATOR
FORMATS = "date format"
"""What the context of a message begins with that is a format, and no text."""


class Pseudo(gettext.NullTranslations):
    """The catalogue of the language."""

    def gettext(self, message: str) -> str:
        context, _, text = message.rpartition(CONTEXT)
        return text if context.startswith(FORMATS) else f"{OPEN}{text}{CLOSE}"

    def ngettext(self, one: str, many: str, number: int) -> str:
        return self.gettext(one if number == 1 else many)

    def info(self) -> dict[str, str]:
        return {}

    def language(self) -> str:
        return CODE

    def to_language(self) -> str:
        return CODE


@contextmanager
def language() -> Iterator[None]:
    """A context in which this language is the current one."""
    known = trans_real._translations
    known[CODE] = Pseudo()
    try:
        with translation.override(CODE):
            yield
    finally:
        known.pop(CODE, None)


# What people read although it is no text node.
ATTRIBUTES = {"alt", "aria-label", "placeholder", "title"}
# Their content is code, a name or a value, in no language; so is that of an element in English.
DATA = {"code", "pre", "option", "script", "style", "textarea"}
VOID = {"area", "base", "br", "col", "hr", "img", "input", "link", "meta", "wbr"}
# Numbers, times, signs; and what is said in every language alike.
PLAIN = re.compile(r"[\W\d_]*|p50|p95|p99|JSON", re.ASCII)


class Reader(HTMLParser):
    """Collects what a page says outside of all brackets."""

    def __init__(self, names: re.Pattern[str]) -> None:
        super().__init__()
        self.names = names
        self.stack: list[str] = []
        self.depth = 0
        self.bare: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        shown = dict(attributes)
        button = tag == "input" and shown.get("type") in ("submit", "button", "reset")
        for name, value in attributes:
            spoken = name in ATTRIBUTES or (name.startswith("data-") and " " in (value or ""))
            if value and (spoken or (name == "value" and button)):
                self._say(value, f"{tag} {name}")
        if tag not in VOID:
            self.stack.append("code" if shown.get("lang") == "en" else tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID and self.stack:
            self.stack.pop()

    def handle_data(self, data: str) -> None:
        if DATA.isdisjoint(self.stack):
            self._say(data, self.stack[-1] if self.stack else "")
        else:
            self.depth += data.count(OPEN) - data.count(CLOSE)

    def _say(self, text: str, where: str) -> None:
        outside = ""
        for char in text:
            if char == OPEN:
                self.depth += 1
                outside += " "
            elif char == CLOSE:
                self.depth -= 1
            elif self.depth == 0:
                outside += char
        rest = self.names.sub(" ", outside)
        if any(not PLAIN.fullmatch(word) for word in rest.split()):
            self.bare.append(f"{where}: {text.strip()[:120]}")


def unmarked(page: str, names: re.Pattern[str]) -> list[str]:
    """What a page says that was not looked up, with the element it stands in.

    ``names`` matches what is data: names of jobs, hosts and people.
    """
    reader = Reader(names)
    reader.feed(page.replace("<wbr>", ""))  # which breaks names into parts
    assert reader.depth == 0
    return reader.bare
