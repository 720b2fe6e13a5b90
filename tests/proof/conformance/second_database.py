"""A project whose scheduler has a database of its own, beside ``default``: run as a process."""

from __future__ import annotations

import sys
from pathlib import Path

ALIAS = "jobs"


class JobsElsewhere:
    def db_for_read(self, model, **hints):
        return ALIAS if model._meta.app_label == "scheduler" else None

    db_for_write = db_for_read

    def allow_migrate(self, db, app_label, **hints):
        return (app_label == "scheduler") == (db == ALIAS)


def main(folder: Path) -> None:
    from django.conf import settings

    from tests import settings as rig

    options = {key: getattr(rig, key) for key in dir(rig) if key.isupper()}
    sqlite = {**rig.DATABASES["default"], "ENGINE": "django.db.backends.sqlite3"}
    options["DATABASES"] = {
        alias: {**sqlite, "NAME": str(folder / f"{alias}.sqlite3")} for alias in ("default", ALIAS)
    }
    options["DATABASE_ROUTERS"] = [f"{__name__}.JobsElsewhere"]
    options["APSCHEDULER_DATABASE"] = ALIAS
    settings.configure(**options)
    _run()


def _run() -> None:
    import django
    from django.core.management import call_command
    from django.db import connections

    django.setup()
    for alias in ("default", ALIAS):
        call_command("migrate", database=alias, verbosity=0)
    from scheduler import scheduler as client
    from scheduler.models import Execution
    from scheduler.schedulers.blocking import DjangoScheduler

    from tests import bodies

    client.add_job(bodies.noop, "date", id="job")
    scheduler = DjangoScheduler()
    scheduler.begin()
    rows = Execution.objects.using(ALIAS)
    for _ in range(100):
        scheduler._process_jobs()
        if rows.filter(status="succeeded").exists():
            break
        scheduler.wake.wait(0.1)
    print(rows.get().status)
    for alias in ("default", ALIAS):
        there = "scheduler_job" in connections[alias].introspection.table_names()
        print(f"{alias}:{'yes' if there else 'no'}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
