"""All faults, by name: which kinds of them there are, and where."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from . import faults, outages
from .cluster import Cluster
from .faults import Struck
from .servers import MariaDB, Server


@dataclass(frozen=True)
class Fault:
    name: str
    strike: Callable[[Cluster], Struck | None]
    where: str = "all"
    """``server``: PostgreSQL and MariaDB. ``clock``: not MariaDB, whose timeouts wait for the
    kernel's wall clock, which stays right."""

    def exists_on(self, cluster: Cluster) -> bool:
        if self.where == "clock":
            return not isinstance(cluster.server, MariaDB)
        return self.where == "all" or isinstance(cluster.server, Server)


FAULTS = [
    Fault("kill -9, standby on the same host", faults.kill_same_host),
    Fault("kill -9, standby on another host", faults.kill_other_host),
    Fault("kill -9, and its successor too", faults.kill_twice),
    Fault("kill -9 of a standby", faults.kill_standby),
    Fault("kill -9 while frozen", faults.kill_frozen),
    Fault("kill -9 of a worker process", faults.kill_worker),
    Fault("SIGTERM", faults.terminate),
    Fault("asked to resign", faults.resign),
    Fault("frozen beyond the lease", faults.freeze),
    Fault("frozen briefly", faults.freeze_briefly),
    Fault("standby frozen", faults.freeze_standby),
    Fault("all frozen", faults.freeze_all),
    Fault("clocks an hour wrong", faults.skew_clocks, "server"),
    Fault("clock set forward", faults.set_clock_forward, "clock"),
    Fault("clock set back", faults.set_clock_back, "clock"),
    Fault("leader's connections cut", outages.cut, "server"),
    Fault("all connections cut", outages.cut_all, "server"),
    Fault("cut, statements arrive late", outages.cut_late, "server"),
    Fault("network stalls briefly", outages.stall_briefly, "server"),
    Fault("network stalls beyond the lease", outages.stall, "server"),
    Fault("network stalls, then cut", outages.stall_and_cut, "server"),
    Fault("database restarted", outages.restart_database, "server"),
    Fault("database killed", outages.crash_database, "server"),
    Fault("database away beyond the lease", outages.database_away, "server"),
    Fault("stop and start without database", outages.leave_and_come_without_database, "server"),
    Fault("kill -9 without database", outages.kill_without_database, "server"),
    Fault("database frozen beyond the lease", outages.freeze_database, "server"),
    Fault("a user holds a job's row", outages.hold_job),
    Fault("a user holds the lease's row", outages.hold_lease),
    Fault("a user holds running rows", outages.hold_history),
]
