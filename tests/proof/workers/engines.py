"""What carries the messages: how its workers start, and how its queue is abused."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tests.proof.chaos.servers import MariaDB, PostgreSQL
from tests.workers.brokers import RabbitMQ, Redis

QUEUE = "scheduler"
Message = tuple[int, int]
"""Of an execution its id, and the number of the publication."""


class Celery:
    """On a broker of its own."""

    setting = "celery"
    workers = 2
    can_end_bodies = True

    def __init__(self, broker: Redis | RabbitMQ) -> None:
        self.broker: Redis | RabbitMQ | None = broker
        self._app: Any = None

    def program(self, name: str) -> list[str]:
        words = "-A tests.workers.celery_app worker --concurrency 2 --queues"
        return ["celery", *words.split(), QUEUE, "--hostname", f"{name}@%h"]

    def send(self, messages: Iterable[Message]) -> None:
        """Send them once more."""
        with self._connection() as connection:
            for message in messages:
                self._app.send_task(
                    "scheduler.run", args=message, queue=QUEUE, ignore_result=True,
                    connection=connection,
                )  # fmt: skip

    def purge(self) -> None:
        """Drop all that no worker has got yet."""
        with self._connection() as connection:
            connection.default_channel.queue_purge(QUEUE)

    def _connection(self) -> Any:
        from celery import Celery as App

        assert self.broker is not None
        self._app = self._app or App(broker=self.broker.url())
        return self._app.connection_for_write()


class DatabaseTasks:
    """django-tasks-db: the messages lie in the database, and a worker runs one at a time."""

    setting = "django-tasks"
    workers = 3
    can_end_bodies = False
    broker = None

    def program(self, name: str) -> list[str]:
        words = f"db_worker --queue-name {QUEUE} --backend workers --interval 0.05"
        return ["django", *words.split()]

    def send(self, messages: Iterable[Message]) -> None:
        """See ``Celery.send``."""
        from scheduler.workers.django_tasks import run

        for message in messages:
            run.enqueue(*message)

    def purge(self) -> None:
        """See ``Celery.purge``."""
        from django.db import transaction
        from django_tasks_db.models import DBTaskResult

        with transaction.atomic():
            # Not what a worker is taking: one whose connection fell silent holds that row for long.
            ready = DBTaskResult.objects.filter(status="READY")
            free = ready.select_for_update(skip_locked=True).values_list("pk", flat=True)
            for pk in list(free):  # of many, MariaDB would read and lock all rows
                DBTaskResult.objects.filter(pk=pk).delete()


Engine = Celery | DatabaseTasks
ENGINES = {"redis": "Celery, Redis", "rabbitmq": "Celery, RabbitMQ", "tasks": "django-tasks-db"}
DATABASES = {"postgresql": "PostgreSQL", "mariadb": "MariaDB"}
NAMES = {
    f"{engine}-{database}": f"{engine_title}, {database_title}"
    for engine, engine_title in ENGINES.items()
    for database, database_title in DATABASES.items()
}
SERVERS: dict[str, type[PostgreSQL] | type[MariaDB]] = {
    "postgresql": PostgreSQL,
    "mariadb": MariaDB,
}


def make(name: str, folder: Path) -> tuple[Engine, PostgreSQL | MariaDB]:
    """The engine and the server of a combination; neither has been started."""
    engine, _, database = name.partition("-")
    server = SERVERS[database](folder / "database")
    if engine == "tasks":
        return DatabaseTasks(), server
    kind = Redis if engine == "redis" else RabbitMQ
    return Celery(kind(folder / "broker")), server
