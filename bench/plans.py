"""What ``python -m bench`` measures, and how often: the whole takes less than a quarter of an hour.

Sections that need several minutes each are left out of the whole, and run where they are named.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from bench.databases import MARIADB, POSTGRESQL, SQLITE
from bench.systems import DJANGO, OURS, SQLALCHEMY

ALL = (SQLITE, POSTGRESQL, MARIADB)
EVERYBODY = (OURS, DJANGO, SQLALCHEMY)
DELAY = 0.001
LAG = {"jobs": 200, "seconds": 10, "spread": True}
STORED = (10, 1_000, 100_000, 1_000_000)


@dataclass(frozen=True)
class Plan:
    """One measure of some systems on some databases. Its key in results.json never changes."""

    key: str
    measure: str
    size: dict[str, Any]
    systems: tuple[str, ...] = (OURS,)
    databases: tuple[str, ...] = ALL
    rounds: int = 1
    """The systems take turns in each, so that a machine that changes its speed does so for all."""
    delay: float = 0.0
    """Seconds that a proxy adds to each round trip."""
    cases: tuple[dict[str, Any], ...] = field(default=({},))
    """Each is measured by itself, with these beside ``size``."""
    is_long: bool = False
    """Measured only where it is named, or with ``--long``."""


PLANS = (
    Plan("executions_a_second", "throughput", {"jobs": 500, "waves": 2, "every": 4.0},
         systems=EVERYBODY, rounds=2),
    Plan("floor", "floor", {"jobs": 5_000, "rounds": 3}),
    Plan("waves_of_5000", "throughput", {"jobs": 5_000, "waves": 2, "every": 6.0}),
    Plan("start_lag", "lag", LAG),
    Plan("start_lag_of_the_others", "lag", LAG, systems=(DJANGO, SQLALCHEMY),
         databases=(SQLITE, POSTGRESQL)),
    Plan("executions_a_second_over_1_ms", "throughput", {"jobs": 500, "waves": 2, "every": 15.0},
         systems=(OURS, DJANGO), databases=(POSTGRESQL, MARIADB), delay=DELAY),
    Plan("start_lag_over_1_ms", "lag", LAG, databases=(POSTGRESQL, MARIADB), delay=DELAY),
    Plan("start_lag_beside_stored_jobs", "lag", {**LAG, "idle": 8.0}, databases=(POSTGRESQL,),
         cases=tuple({"stored": count} for count in STORED)),
    Plan("start_lag_under_an_old_snapshot", "lag", LAG, databases=(POSTGRESQL,),
         cases=({"ended": 0}, {"ended": 150_000})),
    Plan("idle", "idle", {"seconds": 8.0}),
    Plan("jobs_added_a_second", "adding", {"jobs": 1_000, "many": 10_000}),
    Plan("many_jobs", "many", {"jobs": 1_000_000}, databases=(POSTGRESQL,), is_long=True),
    Plan("retention", "retention", {"jobs": 200, "seconds": 30, "ended": 1_000_000},
         databases=(POSTGRESQL,), is_long=True),
    Plan("memory", "memory", {"jobs": 5_000, "runs": 200_000, "every": 2.5},
         databases=(POSTGRESQL,), is_long=True),
)  # fmt: skip

TRIED = {
    "jobs": 50, "many": 100, "waves": 1, "every": 2.0, "seconds": 2, "rounds": 1, "idle": 1.0,
    "stored": 20, "ended": 40, "runs": 120,
}  # fmt: skip
"""The sizes of a run that only shows that everything works."""


def chosen(names: list[str], *, long: bool) -> list[Plan]:
    """Return the plans of these names; without names those of the whole.

    Raises:
        ValueError: there is no such plan; the message lists all.
    """
    known = {plan.key: plan for plan in PLANS}
    if unknown := [name for name in names if name not in known]:
        raise ValueError(f"there is no section {unknown[0]}; there are {', '.join(known)}")
    if names:
        return [known[name] for name in names]
    return [plan for plan in PLANS if long or not plan.is_long]
