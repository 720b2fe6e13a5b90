"""The template's choices, and few combinations that hold every pair of them."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CONTEXT = json.loads((ROOT / "cookiecutter.json").read_text(encoding="utf-8"))
QUESTIONS = {name: default for name, default in CONTEXT.items() if not name.startswith("_")}

# Every question that is answered from a list, with all its answers, the default first.
CHOICES: dict[str, list[str]] = {
    name: ["no", "yes"] if isinstance(default, bool) else default
    for name, default in QUESTIONS.items()
    if isinstance(default, bool | list)
}

Answers = dict[str, str]


def each_alone() -> list[Answers]:
    """The defaults, and then each other choice by itself."""
    others = [{name: choice} for name, choices in CHOICES.items() for choice in choices[1:]]
    return [{}, *others]


def pairwise() -> list[Answers]:
    """Combinations in which every two choices of different questions meet at least once."""
    candidates = [
        dict(zip(CHOICES, row, strict=True)) for row in itertools.product(*CHOICES.values())
    ]
    missing = set().union(*map(pairs, candidates))
    chosen = []
    while missing:
        best = max(candidates, key=lambda answers: len(pairs(answers) & missing))
        chosen.append(best)
        missing -= pairs(best)
    return chosen


def pairs(answers: Answers) -> set[tuple[tuple[str, str], ...]]:
    return set(itertools.combinations(answers.items(), 2))


def label(answers: Answers) -> str:
    return "-".join(f"{name}={choice}" for name, choice in answers.items()) or "defaults"
