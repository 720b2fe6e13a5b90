from __future__ import annotations

from argparse import ArgumentParser
from time import sleep
from typing import Any

from ..conf import conf
from ..engine.clock import monotonic
from ..models import Lease, Term
from ..notify import announce
from . import rows
from .answer import DONE, NOBODY, TIMEOUT, Answer

NAME = "resign"
HELP = "A drill: ask the leader to hand over, and say how long nobody led. Nothing is lost by it."
LOOK_EVERY = 0.02


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--timeout", type=float, default=30.0, help="seconds to wait for the next leader (30)"
    )


def run(options: dict[str, Any]) -> Answer:
    using = conf().DATABASE
    held = Lease._base_manager.using(using).filter(holder__isnull=False)
    asked = held.values_list("term", flat=True).first()
    if asked is None or not held.update(resign_requested=True):
        return Answer({"term": None}, ["Nobody leads: there is nobody to ask."], NOBODY)
    announce(using)
    end = monotonic() + options["timeout"]
    while (term := _next(asked, using)) is None:
        if monotonic() >= end:
            lines = [f"The leader of term {asked} was asked, and nobody has taken over yet."]
            return Answer({"term": asked}, lines, TIMEOUT)
        sleep(LOOK_EVERY)
    data = {"term": term.term, "host": term.host, "pid": term.pid, "gap": term.gap,
            "acquired_at": rows.time(term.acquired_at)}  # fmt: skip
    gap = f"{term.gap:.3f} s" if term.gap is not None else "an unknown time"
    return Answer(data, [f"{term.host}:{term.pid} leads in term {term.term}, after {gap}."], DONE)


def _next(after: int, using: str) -> Term | None:
    return Term._base_manager.using(using).filter(term__gt=after).order_by("term").first()
