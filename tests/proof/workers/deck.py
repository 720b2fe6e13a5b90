"""All faults, by name: which kinds of them there are, and with which engine."""

from __future__ import annotations

from dataclasses import dataclass

from . import faults, outages
from .cluster import WorkersCluster
from .engines import Engine


@dataclass(frozen=True)
class Fault:
    name: str
    strike: outages.Strike
    celery_only: bool = False
    """It needs a broker, or a worker of several processes."""

    def exists_with(self, engine: Engine) -> bool:
        return not self.celery_only or engine.broker is not None

    def __call__(self, cluster: WorkersCluster) -> faults.Struck | None:
        return self.strike(cluster)


FAULTS = [
    Fault("worker killed, on the leader's host", faults.kill_same_host),
    Fault("worker killed, on another host", faults.kill_other_host),
    Fault("a process of a worker killed", faults.kill_child, celery_only=True),
    Fault("all workers killed", faults.kill_all),
    Fault("worker stopped (SIGTERM)", faults.terminate),
    Fault("worker frozen beyond its time", faults.freeze),
    Fault("worker frozen briefly", faults.freeze_briefly),
    Fault("all processes frozen", faults.freeze_all),
    Fault("clocks of workers an hour wrong", faults.wrong_clock),
    Fault("leader killed", faults.kill_leader),
    Fault("leader stopped (SIGTERM)", faults.terminate_leader),
    Fault("leader frozen beyond its lease", faults.freeze_leader),
    Fault("leader and all workers killed", faults.kill_leader_and_workers),
    Fault("worker's database connections cut", outages.worker_loses_database),
    Fault("worker's database silent beyond its time", outages.worker_waits_for_database),
    Fault("leader's database connections cut", outages.leader_loses_database),
    Fault("statements arrive, replies do not", outages.cut_late),
    Fault("all database connections cut", outages.cut_all),
    Fault("database restarted", outages.restart_database),
    Fault("database killed", outages.kill_database),
    Fault("database away beyond all leases", outages.database_away),
    Fault("broker restarted", outages.restart_broker, celery_only=True),
    Fault("broker killed", outages.kill_broker, celery_only=True),
    Fault("broker away", outages.broker_away, celery_only=True),
    Fault("broker frozen", outages.freeze_broker, celery_only=True),
    Fault("broker and leader killed", outages.kill_broker_and_leader, celery_only=True),
    Fault("all connections to the broker cut", outages.cut_broker, celery_only=True),
    Fault("worker's broker connection silent, then cut", outages.worker_loses_broker,
          celery_only=True),
    Fault("queue purged", outages.purge),
    Fault("messages three times", outages.duplicate),
]  # fmt: skip
