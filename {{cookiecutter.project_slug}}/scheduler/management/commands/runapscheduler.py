"""``manage.py runapscheduler``: a scheduler process, leader or standby."""

from __future__ import annotations

import logging
import os
import signal
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import connections
from django.db.migrations.executor import MigrationExecutor
from django.db.utils import Error as DatabaseError

from ... import alerts
from ...conf import conf
from ...engine.lease import ForeignProject
from ...engine.scheduler import DjangoScheduler

logger = logging.getLogger("scheduler")

ALERTS_WITHIN = 3.0
"""Seconds for the last mail, after the drain and before any process manager kills."""


class Command(BaseCommand):
    help = (
        "Run scheduled jobs. Start as many as you like, on as many hosts as you like: one leads, "
        "the others stand by and take over. SIGTERM hands over, waits for running jobs, ends."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        self._refuse_lost_disk()
        self._refuse_unmigrated()
        scheduler = DjangoScheduler()
        Signals(scheduler).install()
        try:
            scheduler.start()
        except ForeignProject as error:
            raise CommandError(str(error)) from None
        finally:
            alerts.flush(ALERTS_WITHIN)
            logging.shutdown()
        if scheduler.loop.dispatcher.in_flight:
            # Bodies that outlasted the drain run in daemon threads, which must not meet an
            # interpreter that is half taken down.
            sys.stdout.flush()
            os._exit(0)

    def _refuse_lost_disk(self) -> None:
        if os.environ.get("DYNO") and connections[conf().DATABASE].vendor == "sqlite":
            raise CommandError(
                "This is a dyno, and the database is SQLite: dynos share no disk and lose it at "
                "each restart, so jobs and history would vanish. Add PostgreSQL and set "
                "DATABASE_URL."
            )

    def _refuse_unmigrated(self) -> None:
        """A database that is away is waited for by the loop; one without tables is an error."""
        connection = connections[conf().DATABASE]
        try:
            executor = MigrationExecutor(connection)
            plan = executor.migration_plan(
                [node for node in executor.loader.graph.leaf_nodes() if node[0] == "scheduler"]
            )
        except DatabaseError as error:
            logger.warning("The database cannot be reached yet, waiting for it: %s", error)
            connection.close()
            return
        if plan:
            raise CommandError(
                f"Database {conf().DATABASE!r} lacks {len(plan)} migration(s) of the scheduler "
                f"app, first {plan[0][0]}. Run: python manage.py migrate"
            )


class Signals:
    """Handlers that only set a flag and write a byte: no lock, whatever they interrupt.

    SIGTERM may come more than once (a dyno gets it several times) and means the same each time;
    a second SIGINT, or SIGQUIT, is a person who does not want to wait.
    """

    def __init__(self, scheduler: DjangoScheduler) -> None:
        self._scheduler = scheduler
        self._interrupts = 0

    def install(self) -> None:
        signal.signal(signal.SIGTERM, self._stop)
        signal.signal(signal.SIGINT, self._interrupt)
        signal.signal(signal.SIGQUIT, self._at_once)

    def _stop(self, *_: Any) -> None:
        self._scheduler.stop()

    def _interrupt(self, *_: Any) -> None:
        self._interrupts += 1
        self._scheduler.stop(None if self._interrupts == 1 else 0.0)

    def _at_once(self, *_: Any) -> None:
        self._scheduler.stop(0.0)
