"""What a subcommand is, and what it answers."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

DONE = 0
FAILED = 1
UNKNOWN = 3  # 2 is argparse's: a usage error
UNHEALTHY = 4
TIMEOUT = 5

EXIT_CODES = (
    "Exit codes: 0 success; 1 refused, or the run failed; 2 usage error; 3 no such job or "
    "execution; 4 no scheduler is running, or it is unhealthy; 5 timed out waiting."
)


@dataclass
class Answer:
    """Data for ``--json``, lines for people, and an exit code."""

    data: Any
    lines: list[str] = field(default_factory=list)
    code: int = DONE


@dataclass(frozen=True)
class Subcommand:
    """One word after ``manage.py scheduler``. Errors are raised: the command makes exit codes."""

    name: str
    help: str
    add_arguments: Callable[[ArgumentParser], None]
    run: Callable[[dict[str, Any]], Answer]
    signed: bool = False
    """Whether it takes ``--by``, which ``run`` is given as ``options["by"]``."""
