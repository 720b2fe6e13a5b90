"""Tracebacks as people read them: from the job's own code on, with what called it apart."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import takewhile

FRAME = re.compile(r'^  File "([^"\n]*)"')
# Python's own pool and asgiref lie between the engine and an async function.
ENGINE = re.compile(r"[/\\](?:scheduler[/\\]engine|apscheduler)[/\\]executors[/\\]")
BETWEEN = re.compile(r"[/\\](?:asgiref|concurrent[/\\]futures|asyncio)[/\\]")


@dataclass(frozen=True)
class Part:
    """A stretch of a traceback. ``frames``: how many frames of the engine it holds; 0: none."""

    text: str
    frames: int = 0


def parts(text: str) -> list[Part]:
    """Return the traceback in parts, which together are the whole text.

    Of each traceback in it (a chain of exceptions has several), the frames before the job's own
    code are a part by themselves. A path counts by its end: another release may have written it.
    """
    found: list[Part] = []
    for stretch in _stretches(text):
        callers = _engine_frames(stretch)
        if callers:
            found.append(Part("".join(stretch[:callers]), callers))
        if own := "".join(stretch[callers:]):
            if found and not found[-1].frames:
                found[-1] = Part(found[-1].text + own)
            else:
                found.append(Part(own))
    return found


def own(text: str) -> str:
    """Return the traceback without the engine's frames."""
    return "".join(part.text for part in parts(text) if not part.frames)


def _stretches(text: str) -> Iterator[list[str]]:
    """Frames that follow each other, each with its source lines; and what stands between them."""
    stretch: list[str] = []
    for line in text.splitlines(keepends=True):
        in_frames = bool(stretch) and FRAME.match(stretch[0])
        if in_frames and line.startswith(("    ", "  [Previous line repeated")):
            stretch[-1] += line
        elif in_frames and FRAME.match(line):
            stretch.append(line)
        elif in_frames or FRAME.match(line):
            if stretch:
                yield stretch
            stretch = [line]
        else:
            stretch = ["".join([*stretch, line])]
    if stretch:
        yield stretch


def _engine_frames(frames: list[str]) -> int:
    """Return how many frames at the beginning are the engine's."""
    paths = [match[1] for frame in frames if (match := FRAME.match(frame))]
    before = list(takewhile(lambda path: ENGINE.search(path) or BETWEEN.search(path), paths))
    while before and not ENGINE.search(before[-1]):
        before.pop()
    return len(before)
