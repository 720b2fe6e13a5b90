"""``home/jobs.py`` of the projects with workers: the same file under every answer.

One job for each executor; each returns the id of the process that ran it.
"""

from __future__ import annotations

import os

from scheduler import job


@job("interval", seconds=1, id="light")
def light() -> int:
    return os.getpid()


@job("interval", seconds=1, id="medium", executor="processes")
def medium() -> int:
    return os.getpid()


@job("interval", seconds=1, id="heavy", executor="workers")
def heavy() -> int:
    return os.getpid()
