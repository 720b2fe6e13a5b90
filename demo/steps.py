"""Steps that say what they do while they do it, and how long it took."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path


class StepError(Exception):
    """A command of a step failed; the message holds the command and all that it printed."""


@contextmanager
def step(title: str) -> Iterator[None]:
    """Print the title, a dot for each second that passes, and the seconds at the end."""
    begun, done = time.monotonic(), threading.Event()
    print(f"  {title} ", end="", flush=True)
    dots = threading.Thread(target=print_dots, args=[done], daemon=True)
    dots.start()
    try:
        yield
    except BaseException:
        print(" failed", flush=True)
        raise
    else:
        print(f" {time.monotonic() - begun:.1f} s", flush=True)
    finally:
        done.set()


def print_dots(done: threading.Event) -> None:
    while not done.wait(1):
        print(".", end="", flush=True)


def run(*command: str | Path, cwd: Path, env: Mapping[str, str]) -> str:
    """Run to the end and return what it printed. Raises StepError when it fails."""
    words = list(map(str, command))
    done = subprocess.run(words, cwd=cwd, env=dict(env), capture_output=True, text=True)
    if done.returncode:
        raise StepError(f"{' '.join(words)} (in {cwd})\n{done.stdout}{done.stderr}")
    return done.stdout


def end_on_failure(error: StepError) -> int:
    print(f"\n{error}", file=sys.stderr)
    return 1
