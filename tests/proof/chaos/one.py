"""Chaos on one database, in a process that is set up for it: see ``__main__``."""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from . import report
from .servers import MariaDB, PostgreSQL, Server, SQLite

DATABASES: dict[str, type[Server] | type[SQLite]] = {
    "sqlite": SQLite,
    "postgresql": PostgreSQL,
    "mariadb": MariaDB,
}


def main(database: str, options: dict[str, Any], out: Path) -> int:
    folder = Path(tempfile.mkdtemp(prefix="chaos-"))
    folder.chmod(0o755)
    server = DATABASES[database](folder / "database")
    if missing := server.missing():
        print(f"\n{report.NAMES[database]} is left out: install {missing}")
        return int(os.environ.get("CI") == "true")
    server.create()
    print(f"\n{report.NAMES[database]}: {options['faults']} faults, seed {options['seed']}")
    set_up(server)
    from .run import chaos

    outcome = chaos(server, folder, say=lambda text: print(text, flush=True), **options)
    out.write_text(json.dumps(report.as_data(database, outcome, options), indent=1))
    found = outcome.verdict.faults
    print("\n".join([*outcome.verdict.notes, *(found or ["no fault found"])]), flush=True)
    for felt in outcome.felt:
        if felt.bound is not None and felt.seconds > felt.bound:
            print(f"LATE {felt.fault}: {felt.seconds:.2f} s > {felt.bound:g} s")
    if found:
        print(f"The logs, the record and the database are in {folder}")
        return 1
    shutil.rmtree(folder)
    return 0


def set_up(server: Server | SQLite, settings: str = "tests.proof.chaos.settings") -> None:
    """Set Django up, for this process and those that it starts, and make the tables."""
    os.environ["DJANGO_SETTINGS_MODULE"] = settings
    os.environ["TEST_DATABASE_URL"] = server.url(getattr(server, "port", 0))
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], json.loads(sys.argv[2]), Path(sys.argv[3])))
