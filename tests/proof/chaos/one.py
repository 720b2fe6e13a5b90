"""Chaos on one database, in a process that is set up for it: see ``__main__``."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from . import launch, report
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
        return launch.left_out(report.NAMES[database], missing)
    server.create()
    print(f"\n{report.NAMES[database]}: {options['faults']} faults, seed {options['seed']}")
    set_up(server)
    from .run import chaos

    def say(text: str) -> None:
        print(text, flush=True)

    outcome = chaos(server, folder, say=say, **options)
    out.write_text(json.dumps(report.as_data(database, outcome, options), indent=1))
    return launch.conclude(outcome, folder, say)


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
