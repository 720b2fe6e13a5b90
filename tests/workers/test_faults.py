"""Faults in any order, on brokers of our own: no slot runs twice, none is left unexplained."""

from __future__ import annotations

import os
import random
import signal
import time
from collections import Counter
from pathlib import Path

import pytest
from celery import Celery
from django.utils import timezone
from scheduler import scheduler
from scheduler.models import Execution, Job, Node
from scheduler.monitoring.audit import audit

from .brokers import KINDS, RabbitMQ, Redis, broker
from .cluster import Cluster, children, cluster, eventually
from .remote_bodies import append

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

FAULTS = int(os.environ.get("WORKER_FAULTS", "6"))
SEED = int(os.environ.get("WORKER_SEED", "1"))
TTL = 6.0


class Faults:
    """What may happen to a leader, two workers and their broker."""

    def __init__(self, made: Cluster, server: Redis | RabbitMQ) -> None:
        self.cluster, self.server = made, server
        self.leader = made.scheduler()
        self.workers = [made.celery(processes=2), made.celery(processes=2)]
        self.app = Celery(broker=server.url())

    def a_worker_is_killed(self) -> None:
        self.workers.pop(0).kill()
        self.workers.append(self.cluster.celery(processes=2))

    def a_body_is_killed(self) -> None:
        for pid in children(self.workers[0].pid)[:1]:
            os.kill(pid, signal.SIGKILL)

    def a_worker_stops(self) -> None:
        self.workers.pop(0).send_signal(signal.SIGTERM)
        self.workers.append(self.cluster.celery(processes=2))

    def a_worker_is_frozen(self) -> None:
        tree = [self.workers[0].pid, *children(self.workers[0].pid)]
        for pid in tree:
            os.kill(pid, signal.SIGSTOP)
        time.sleep(TTL + 4)
        for pid in tree:
            os.kill(pid, signal.SIGCONT)

    def the_leader_is_killed(self) -> None:
        self.leader.kill()
        self.leader.wait()
        self.leader = self.cluster.scheduler()

    def the_broker_is_killed(self) -> None:
        self.server.crash()
        time.sleep(1)
        self.server.start()

    def the_queue_is_purged(self) -> None:
        with self.app.connection_for_write() as connection:
            connection.default_channel.queue_purge("scheduler")

    def messages_come_twice(self) -> None:
        for row in Execution.objects.order_by("-id")[:50]:
            for publication in (row.publication - 1, row.publication):
                self.app.send_task("scheduler.run", args=[row.pk, publication], queue="scheduler")


@pytest.mark.parametrize("kind", list(KINDS))
def test_no_fault_of_workers_leader_or_broker_doubles_a_run_or_loses_a_slot(kind, tmp_path: Path):
    calls, chosen, begin = tmp_path / "calls", random.Random(SEED), timezone.now()
    variables = {"TEST_WORKERS": "celery", "TEST_WORKER_TTL": str(TTL)}
    with (
        broker(kind) as server,
        cluster(tmp_path, TEST_BROKER_URL=server.url(), **variables) as made,
    ):
        faults = Faults(made, server)
        eventually(lambda: Node.objects.filter(role="worker").count() == 4)
        for number in range(4):
            scheduler.add_job(
                append, "interval", seconds=1, id=f"job-{number}", args=[str(calls)],
                executor="workers", max_instances=3, on_lost="retry", max_retries=9,
            )  # fmt: skip
        names = [name for name in vars(Faults) if not name.startswith("_")]
        for _ in range(FAULTS):
            time.sleep(chosen.uniform(0.5, 2))
            name = chosen.choice(names)
            print(name)
            getattr(faults, name)()
        for job in Job.objects.all():
            scheduler.pause_job(job.id)
        # What a purge or a killed broker lost is published again within a minute.
        eventually(lambda: not Execution.objects.filter(status__in=("queued", "running")), 180)
        report = audit("default", begin)
    lines = Counter(calls.read_text().splitlines())
    assert [line for line, count in lines.items() if count > 1] == [], "run twice"
    assert report.findings == [], "unexplained"
    print(f"{kind}: {FAULTS} faults, {report.owed} slots owed, {dict(report.outcomes)}")
