"""``manage.py runapscheduler``: a scheduler process, leader or standby."""

from __future__ import annotations

import atexit
import logging
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connections
from django.db.migrations.executor import MigrationExecutor
from django.db.utils import Error as DatabaseError

from ...checks.database import check_character_set
from ...conf import conf
from ...engine.executors.forks import guard_forks
from ...engine.executors.tree import end_descendants
from ...engine.leadership.lease import ForeignProject
from ...monitoring import alerts
from ...schedulers.blocking import DjangoScheduler
from .. import reloading, streams

logger = logging.getLogger("scheduler")

ALERTS_WITHIN = 3.0
"""Seconds for the last mail, after the drain and before any process manager kills."""
EXIT_WITHIN = 3.0
"""Seconds for Python's own end, with what was registered by ``atexit``."""
TIMERS = {
    signal.SIGALRM: signal.ITIMER_REAL,
    signal.SIGVTALRM: signal.ITIMER_VIRTUAL,
    signal.SIGPROF: signal.ITIMER_PROF,
}
"""What a timer sends that a job function sets; by default each ends the process."""


class Command(BaseCommand):
    help = (
        "Run scheduled jobs. Start as many as you like, on as many hosts as you like: one leads, "
        "the others stand by and take over. SIGTERM hands over, waits for running jobs, ends."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--reload", action="store_true", help="Restart when code changes, for development."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        streams.escape_on_stdout()
        if options["reload"] and not reloading.is_child():
            sys.exit(reloading.restart_on_change())
        self._refuse_lost_disk()
        self._refuse_unmigrated()
        self._refuse_small_character_set()
        scheduler = DjangoScheduler()
        Signals(scheduler).install()
        exit_code = self._reload(scheduler) if options["reload"] else lambda: 0
        try:
            scheduler.start()
        except ForeignProject as error:
            raise CommandError(str(error)) from None
        finally:
            alerts.flush(ALERTS_WITHIN)
            logging.shutdown()
        if scheduler.loop.dispatcher.in_flight or _left_behind():
            # Threads that outlasted the drain must not meet an interpreter that is half taken
            # down, and threads and children that jobs left behind must not keep this process.
            for child in multiprocessing.active_children():
                child.kill()
            if scheduler.loop.dispatcher.in_flight:
                end_descendants()  # a run that is recorded as lost may be retried elsewhere
            with suppress(OSError, ValueError):
                sys.stdout.flush()
            os._exit(exit_code())
        _bound_the_end(exit_code())
        if exit_code():
            sys.exit(exit_code())

    def _reload(self, scheduler: DjangoScheduler) -> Callable[[], int]:
        """Stop the scheduler when code changes; return what tells the exit code by then."""
        changed = threading.Event()

        def stop() -> None:
            changed.set()
            scheduler.stop()

        reloading.Changes().call(stop)
        return lambda: reloading.RELOAD if changed.is_set() else 0

    def _refuse_lost_disk(self) -> None:
        if os.environ.get("DYNO") and connections[conf().DATABASE].vendor == "sqlite":
            raise CommandError(
                "This is a dyno, and the database is SQLite: dynos share no disk and lose it at "
                "each restart, so jobs and history would vanish. Add PostgreSQL and set "
                "DATABASE_URL."
            )

    def _refuse_unmigrated(self) -> None:
        """Refuse a database without tables; one that is away is waited for by the loop."""
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

    def _refuse_small_character_set(self) -> None:
        """Refuse what ``migrate`` refuses: the database may have been changed, or moved, since."""
        using = conf().DATABASE
        try:
            found = check_character_set([using])
        except DatabaseError:
            connections[using].close()
            return
        if found:
            raise CommandError("\n".join(f"{each.msg} {each.hint}" for each in found))


def _bound_the_end(code: int) -> None:
    """End this process when functions that jobs registered with ``atexit`` do not end."""
    begun = threading.Event()

    def end() -> None:
        begun.wait()
        time.sleep(EXIT_WITHIN)
        os._exit(code)

    threading.Thread(target=end, daemon=True).start()  # none can be started once it has begun
    atexit.register(begun.set)  # registered last, it is called first


def _left_behind() -> list[str]:
    """Log, and return by name, the threads and child processes for which Python would wait."""
    threads = [
        thread
        for thread in threading.enumerate()
        if thread is not threading.main_thread() and not thread.daemon
    ]
    left = [*map(repr, threads), *map(repr, multiprocessing.active_children())]
    if left:
        logger.warning("Jobs left behind, and the scheduler does not wait for: %s", ", ".join(left))
    return left


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
        for number in TIMERS:
            signal.signal(number, self._disarm)
        guard_forks((signal.SIGTERM, signal.SIGINT, signal.SIGQUIT, *TIMERS))

    def _stop(self, *_: Any) -> None:
        self._scheduler.stop()

    def _disarm(self, number: int, _: Any) -> None:
        """Stop the timer, and tell it in a thread: this one may hold the lock of a log handler."""
        signal.setitimer(TIMERS[signal.Signals(number)], 0)
        text = "%s of a timer that a job has set: such jobs belong to executor='processes'"
        name = signal.Signals(number).name
        threading.Thread(target=logger.warning, args=[text, name], daemon=True).start()

    def _interrupt(self, *_: Any) -> None:
        self._interrupts += 1
        self._scheduler.stop(None if self._interrupts == 1 else 0.0)

    def _at_once(self, *_: Any) -> None:
        self._scheduler.stop(0.0)
