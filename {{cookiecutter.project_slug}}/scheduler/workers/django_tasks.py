"""Workers of any backend of Django's Tasks API that ``TASKS["workers"]`` names.

Such as django-tasks-db: ``manage.py db_worker --backend workers --queue-name scheduler``. Most
backends run tasks in threads or in the worker's only process, so no body can be ended.
"""

from __future__ import annotations

import atexit
from contextlib import suppress

from django.db import connections

from ..conf import QUEUE
from ..engine.executors.runner import Run
from ..tasks.api import task
from . import worker

BACKEND = "workers"


@task(backend=BACKEND, queue_name=QUEUE)
def run(id: int, publication: int) -> None:
    """Run one publication of an execution, if nobody else has claimed it."""
    worker.current().execute(id, publication)


atexit.register(worker.stop)  # the API has no signal for the end of a worker


class TasksBroker:
    """Enqueues one task for each message."""

    def send(self, run_: Run) -> None:
        """See ``Broker.send``; raises what the backend does."""
        run.enqueue(run_.id, run_.publication)

    def close(self) -> None:
        """See ``Broker.close``: a backend that keeps its tasks in a database used this thread's."""
        with suppress(Exception):
            connections.close_all()
