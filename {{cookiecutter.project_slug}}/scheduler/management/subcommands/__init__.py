"""The subcommands of ``manage.py scheduler``, in the order in which ``--help`` lists them."""

from __future__ import annotations

from . import add, audit, bulk, executions, jobs, processes
from .subcommand import Subcommand

SUBCOMMANDS: tuple[Subcommand, ...] = (
    processes.STATUS,
    jobs.LIST,
    jobs.SHOW,
    add.ADD,
    bulk.PAUSE,
    bulk.RESUME,
    bulk.REMOVE,
    executions.RUN,
    executions.CANCEL,
    executions.HISTORY,
    audit.AUDIT,
    processes.RESIGN,
)
