"""``python -m tests.chaos sqlite postgresql mariadb``"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import tempfile
from pathlib import Path

from bench.sections import write

from . import report
from .servers import MariaDB, PostgreSQL, Server, SQLite

DATABASES: dict[str, type[Server] | type[SQLite]] = {
    "sqlite": SQLite,
    "postgresql": PostgreSQL,
    "mariadb": MariaDB,
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("databases", nargs="*", help=", ".join(DATABASES))
    parser.add_argument("--faults", type=int, default=200)
    parser.add_argument("--ttl", type=float, default=6.0, help="seconds of the lease")
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--only", default="", help="faults whose name contains this")
    parser.add_argument("--keep", action="store_true", help="keep the folder with the logs")
    parser.add_argument("--report", action="store_true", help="write bench/RESULTS.md")
    options = parser.parse_args()
    databases = options.databases or list(DATABASES)
    if unknown := set(databases) - DATABASES.keys():
        parser.error(f"no {min(unknown)!r}; known: {', '.join(DATABASES)}")
    if len(databases) == 1:
        return _run(databases[0], options)
    return max(_run_apart(database) for database in databases)


def _run_apart(database: str) -> int:
    """In a process of its own: Django is set up for one database."""
    given = [argument for argument in sys.argv[1:] if argument not in DATABASES]
    return subprocess.run([sys.executable, "-m", "tests.chaos", database, *given]).returncode


def _run(database: str, options: argparse.Namespace) -> int:
    seed = options.seed if options.seed is not None else random.randrange(10_000)
    folder = Path(tempfile.mkdtemp(prefix="chaos-"))
    folder.chmod(0o755)
    server = DATABASES[database](folder / "database")
    server.create()
    print(f"{database}, seed {seed}, {folder}", flush=True)
    _set_up(server)
    from .run import chaos

    outcome = chaos(
        server, folder, faults=options.faults, ttl=options.ttl, seed=seed,
        say=lambda text: print(text, flush=True), only=options.only,
    )  # fmt: skip
    for gap in outcome.gaps:
        if gap.bound is not None and gap.seconds > gap.bound:
            print(f"LATE {gap.fault}: {gap.seconds:.2f} s > {gap.bound:g} s")
    print(dict(outcome.verdict.figures), f"{outcome.seconds:.0f} s")
    for reason, count in outcome.verdict.reasons.most_common():
        print(f"{count:6} {reason}")
    print("\n".join(outcome.verdict.notes))
    if options.report:
        write(
            f"chaos on {database}",
            report.render(database, seed, outcome.seconds, outcome.gaps, outcome.verdict.figures,
                          outcome.verdict.faults),
        )  # fmt: skip
    print("\n".join(outcome.verdict.faults) or "no fault found")
    return bool(outcome.verdict.faults)


def _set_up(server: Server | SQLite) -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.chaos.settings"
    os.environ["TEST_DATABASE_URL"] = server.url(getattr(server, "port", 0))
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)


if __name__ == "__main__":
    sys.exit(main())
