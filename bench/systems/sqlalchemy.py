"""APScheduler's own SQLAlchemyJobStore. It keeps no history: its events are counted instead."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

from bench.systems import Entry
from bench.work import Planned


class System:
    apps = ""
    keeps_history = False

    def prepare(self) -> None:
        from apscheduler.jobstores.sqlalchemy import SQLAlchemyJobStore
        from apscheduler.schedulers.blocking import BlockingScheduler
        from sqlalchemy import create_engine

        url = os.environ["BENCH_DATABASE_URL"].replace("postgres://", "postgresql+psycopg://")
        url = url.replace("mysql://", "mysql+mysqldb://")
        engine = create_engine(url)
        if engine.dialect.name == "sqlite" and not os.environ.get("BENCH_STOCK_SQLITE"):
            _write_ahead(engine)
        self.scheduler = BlockingScheduler(timezone="UTC")
        self.scheduler.add_jobstore(SQLAlchemyJobStore(engine=engine), "default")
        self._events: list[Entry] = []
        self.scheduler.add_listener(self._note)

    def run(self, jobs: list[Planned], **policies: Any) -> None:
        for job in jobs:
            self.scheduler.add_job(**job.arguments(), **policies)
        self.scheduler.start()

    def stop(self) -> None:
        self.scheduler.shutdown()

    def finished(self) -> int:
        return sum(entry.outcome == "succeeded" for entry in self._events)

    def history(self) -> Iterator[Entry]:
        return iter(self._events)

    def _note(self, event: Any) -> None:
        from apscheduler.events import (
            EVENT_JOB_ERROR,
            EVENT_JOB_EXECUTED,
            EVENT_JOB_MAX_INSTANCES,
            EVENT_JOB_MISSED,
        )

        outcome = {
            EVENT_JOB_EXECUTED: "succeeded",
            EVENT_JOB_ERROR: "failed",
            EVENT_JOB_MISSED: "missed",
        }.get(event.code)
        if outcome:
            self._events.append(Entry(event.job_id, event.scheduled_run_time, outcome))
        elif event.code == EVENT_JOB_MAX_INSTANCES:
            for slot in event.scheduled_run_times:
                self._events.append(Entry(event.job_id, slot, "skipped"))


def _write_ahead(engine: Any) -> None:
    """Set the pragmas that the Django systems get."""
    from sqlalchemy import event

    @event.listens_for(engine, "connect")
    def _(connection: Any, _: Any) -> None:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")
        connection.execute("PRAGMA busy_timeout=20000")
