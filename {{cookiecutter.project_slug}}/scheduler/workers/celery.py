"""Celery workers: ``celery -A config worker --queues scheduler``, with Redis or RabbitMQ.

A message holds the id of an execution and the number of its publication. It is acknowledged before
its run begins, and no result is kept: the ledger redelivers, and is told the outcome.

A project's Celery app is made before Django's apps are ready, so nothing here imports a model.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

from celery import Celery, shared_task, signals
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from ..conf import QUEUE, conf

if TYPE_CHECKING:
    from ..engine.executors.runner import Run

TASK = "scheduler.run"
SECONDS = 5.0
"""How long the publisher and a worker wait for an answer of the broker."""
# Without such a bound, a read from a connection that a router forgot lasts for as long as TCP does,
# a quarter of an hour: that worker would get no message, and heed no SIGTERM.
REDIS_LIMITS = {"socket_timeout": SECONDS, "socket_connect_timeout": SECONDS}
RABBITMQ_LIMITS = {"read_timeout": SECONDS, "write_timeout": SECONDS}
REDIS = {
    "broker_transport_options": {
        **REDIS_LIMITS,
        "socket_keepalive": True,
        "health_check_interval": 10,
    },
    # Celery warns where it is asked not to prefetch and always does: with RabbitMQ.
    "worker_disable_prefetch": True,
}
RABBITMQ = {
    "broker_transport_options": RABBITMQ_LIMITS,
    "broker_heartbeat": 20,  # of which two are missed
    "worker_disable_prefetch": False,
}
DEFAULTS = {
    # A message that waits in a busy worker keeps its run from the idle ones, until it is repeated.
    # One a process is the least with RabbitMQ; with Redis it is none.
    "worker_prefetch_multiplier": 1,
    # Less than the 30 s after which process managers kill. With REMAP_SIGTERM=SIGQUIT in the
    # environment, SIGTERM ends a worker that way.
    "worker_soft_shutdown_timeout": 25.0,
    "broker_connection_retry_on_startup": True,
    # RabbitMQ would refuse a worker, which then ends, while it still knows another connection of
    # the same name: a second worker of one host, or the lost connection of this one. It removes
    # the queue ten seconds after the last of them has left.
    "control_queue_exclusive": False,
    "control_queue_durable": True,
}

_app: Celery | None = None
_can_end = False
"""Whether this worker's pool is one of processes, which may be ended to end a body."""
_consumes = False
"""Whether this worker gets the scheduler's messages: one of the project's other queues does not."""


def configure(app: Celery) -> None:
    """Prepare the project's Celery app for the scheduler's runs.

    What the project's settings say about Celery stays as they say.

    Args:
        app: an app that has its broker from the settings.
    """
    global _app
    _app = app
    app.add_defaults(_defaults)
    signals.setup_logging.connect(_leave_logging)


def _defaults() -> dict[str, Any]:
    url = str(getattr(settings, "CELERY_BROKER_URL", ""))
    return DEFAULTS | (REDIS if url.startswith(("redis", "sentinel")) else RABBITMQ)


@shared_task(name=TASK, ignore_result=True, acks_late=False, max_retries=0)
def run(id: int, publication: int) -> None:
    """Run one publication of an execution, if nobody else has claimed it."""
    _worker().current(_can_end).execute(id, publication)


class CeleryBroker:
    """Sends messages on a connection of its own, whose waits are bounded."""

    def __init__(self) -> None:
        """Find the Celery app that ``configure`` got.

        Raises:
            ImproperlyConfigured: there is none.
        """
        if _app is None:
            raise ImproperlyConfigured(
                "APSCHEDULER_WORKERS is 'celery', and no Celery app was configured. Have the "
                "package of your settings import a module that makes one and calls "
                "scheduler.workers.celery.configure(app)"
            )
        self._app = _app
        self._connection: Any = None
        self._producer: Any = None

    def send(self, run: Run) -> None:
        """Send the message; see ``Broker.send``.

        Raises:
            OperationalError, ChannelError: the broker refused it, or is silent.
            QueueNotFound: the project forbids queues that its settings do not name.
        """
        app = self._app
        if self._connection is None:
            self._connection = app.connection_for_write(
                connect_timeout=SECONDS, transport_options=_options(app)
            )
            self._connection.ensure_connection(max_retries=1, timeout=SECONDS)
            self._producer = app.amqp.Producer(self._connection, auto_declare=False)
        app.send_task(
            TASK,
            args=[run.id, run.publication],
            task_id=f"{run.id}.{run.publication}",
            shadow=run.job_id,  # what Flower and the worker's log call it
            queue=QUEUE,
            producer=self._producer,
            ignore_result=True,
            retry=False,
        )

    def close(self) -> None:
        """See ``Broker.close``."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.collect()  # without the farewell that a broken connection would wait for


def _options(app: Celery) -> dict[str, Any]:
    if app.connection_for_write().transport.driver_type == "amqp":
        return {"confirm_publish": True, **RABBITMQ_LIMITS}
    return REDIS_LIMITS


def _leave_logging(**_: Any) -> None:
    """Keep Celery from replacing the project's LOGGING and streams, which capture what jobs say.

    That this is connected is all that it takes. ``--loglevel`` has no effect then.
    """


@signals.celeryd_after_setup.connect
def _check_worker(sender: str, instance: Any, **_: Any) -> None:
    """Refuse to start where nothing would ever be published to this worker."""
    from celery.concurrency.prefork import TaskPool

    global _can_end, _consumes
    _can_end = isinstance(instance.pool_cls, type) and issubclass(instance.pool_cls, TaskPool)
    queues = instance.app.amqp.queues.consume_from
    _consumes = QUEUE in queues
    others = [
        name for name in instance.app.tasks if name != TASK and not name.startswith("celery.")
    ]
    if conf().WORKERS == "celery" and not _consumes and not others:
        sys.exit(
            f"This worker consumes {', '.join(map(repr, queues))}, to which nothing is ever "
            f"published: start it with --queues {QUEUE}"
        )
    if _consumes and conf().WORKERS != "celery":
        # Celery logs what its signals' receivers raise, and goes on: this ends the worker.
        sys.exit(
            f"This worker consumes the queue {QUEUE!r}, and APSCHEDULER_WORKERS is "
            f"{conf().WORKERS!r}: set it to 'celery', in the scheduler's environment as well"
        )


@signals.worker_process_init.connect
def _start(**_: Any) -> None:
    if _consumes:
        _worker().current(_can_end)


@signals.worker_ready.connect
def _start_in_threads(**_: Any) -> None:
    """Start the worker of a pool without processes, of which no other signal tells."""
    if _consumes and not _can_end:
        _worker().current(_can_end)


@signals.worker_process_shutdown.connect
@signals.worker_shutdown.connect
def _stop(**_: Any) -> None:
    if _consumes:
        _worker().stop()


def _worker() -> ModuleType:
    from . import worker

    return worker
