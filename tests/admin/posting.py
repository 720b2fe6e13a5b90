"""What a browser sends of a form in which nobody touched anything."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any


def fields_of(page: Any) -> dict[str, Any]:
    """By name; of what may be ticked several times, a list."""
    controls = Controls(page.context["form"].fields)
    controls.feed(page.content.decode())
    controls.close()
    return controls.sent


class Controls(HTMLParser):
    """Controls as HTML says that they are sent: a line of text has no line breaks."""

    def __init__(self, names: Any) -> None:
        super().__init__()
        self.names = set(names)
        self.sent: dict[str, Any] = {}
        self._inside = ""
        self._options: list[tuple[str, bool]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "option":
            self._options.append((given.get("value") or "", "selected" in given))
        elif (name := given.get("name")) not in self.names:
            return
        elif tag == "input":
            self._input(name, given)
        elif tag in ("select", "textarea"):
            self._inside, self._options = name, []
            self.sent[name] = ""

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.sent[self._inside] += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea" and self._inside:
            text = self.sent[self._inside].removeprefix("\n")
            self.sent[self._inside] = text.replace("\r\n", "\n").replace("\n", "\r\n")
        elif tag == "select" and self._inside:
            chosen = [value for value, selected in self._options if selected]
            self.sent[self._inside] = (chosen or [value for value, _ in self._options])[0]
        else:
            return
        self._inside = ""

    def _input(self, name: str, given: dict[str, str | None]) -> None:
        value = given.get("value") or ""
        if given["type"] == "checkbox":
            if "checked" in given:
                self.sent.setdefault(name, []).append(value or "on")
        elif given["type"] != "radio" or "checked" in given:
            self.sent[name] = value.replace("\r", "").replace("\n", "")
