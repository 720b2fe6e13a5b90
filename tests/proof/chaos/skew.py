"""Wall clocks that are wrong: of one process, or of the whole machine as the run sees it."""

from __future__ import annotations

import os
import struct
import subprocess
from pathlib import Path

SOURCE = Path(__file__).with_name("skew.c")


def prepare(folder: Path) -> dict[str, str]:
    """The environment of a program, and of all that it starts, whose clock can be set.

    Empty where no C compiler is: then the clocks stay right, and the faults of clocks are left out.
    """
    library, shared = folder / "skew.so", folder / "skew"
    command = ["cc", "-shared", "-fPIC", "-o", str(library), str(SOURCE), "-ldl"]
    try:
        subprocess.run(command, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"Clocks stay right: {SOURCE.name} cannot be compiled ({error})")
        return {}
    shared.write_bytes(struct.pack("l", 0))
    return {"LD_PRELOAD": str(library), "CHAOS_SKEW_FILE": str(shared)}


def is_possible() -> bool:
    return "CHAOS_SKEW_FILE" in os.environ


def set_clock(by: int) -> None:
    """Set the machine's wall clock forward, or back, by so many seconds."""
    path = Path(os.environ["CHAOS_SKEW_FILE"])
    (already,) = struct.unpack("l", path.read_bytes())
    with path.open("r+b") as file:  # the same file: it is mapped into every process
        file.write(struct.pack("l", already + by))
