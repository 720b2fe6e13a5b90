"""The body that every engine of workers runs: it stamps the time into a file, and ends."""

from __future__ import annotations

import os
import struct
import time
from pathlib import Path

STAMP = struct.Struct("d")


def stamp() -> None:
    """Append the time as eight bytes, which the kernel does at once for each process."""
    file = os.open(os.environ["BENCH_STAMPS"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.write(file, STAMP.pack(time.time()))
    os.close(file)


def read(path: Path) -> list[float]:
    """Return the times at which bodies ran, in order."""
    data = path.read_bytes() if path.exists() else b""
    return sorted(moment for (moment,) in STAMP.iter_unpack(data[: len(data) // 8 * 8]))
