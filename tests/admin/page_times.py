"""``make page-times``: fill, measure and write the table of docs/admin.md.

On SQLite, and on PostgreSQL where POSTGRESQL_URL names a server. For a machine that does nothing
else; --executions 20000 shows quickly that it works, and --print leaves the page as it is.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from tests.servers import made_database

from .addresses import NAMES

ROOT = Path(__file__).resolve().parent.parent.parent
PAGE = ROOT / "docs" / "admin.md"
HEAD = "| page | SQLite, median | p95 | PostgreSQL, median | p95 |"
BEGIN = "With 1,000 jobs and "


def main() -> None:
    """Measure on each database, and write or print what was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--executions", type=int, default=1_000_000)
    parser.add_argument("--print", action="store_true", dest="only_print")
    options = parser.parse_args()
    found = []
    with tempfile.TemporaryDirectory() as scratch, ExitStack() as stack:
        urls = [f"sqlite:///{scratch}/pages.sqlite3"]
        if os.environ.get("POSTGRESQL_URL"):
            urls.append(stack.enter_context(made_database("postgresql", "page_times")))
        for url in urls:
            found.append(measured(url, options.executions, Path(scratch) / "found.json"))
    text = section(found, options.executions)
    if options.only_print or len(found) < 2:
        print(text)
        return
    before, _, rest = PAGE.read_text().partition(BEGIN)
    _, _, after = rest.partition("\n\nTrends are not read")
    PAGE.write_text(f"{before}{text}\n\nTrends are not read{after}")


def measured(url: str, executions: int, file: Path) -> dict[str, Any]:
    """Fill this database, and ask for each page."""
    paths = os.pathsep.join((str(ROOT), str(ROOT / "{{cookiecutter.project_slug}}")))
    own = {
        "TEST_DATABASE_URL": url,
        "PYTHONPATH": paths,
        "DJANGO_SETTINGS_MODULE": "tests.settings",
    }
    command = [sys.executable, "-m", "tests.admin.measure", "--remove", "--days", "30"]
    command += ["--executions", str(executions), "--json", str(file)]
    subprocess.run(command, check=True, cwd=ROOT, env={**os.environ, **own})
    return json.loads(file.read_text())


def section(found: list[dict[str, Any]], executions: int) -> str:
    """Return the sentence and the table, as they stand in the page."""
    load = max(each["load"] for each in found)
    lines = [
        f"{BEGIN}{executions:,} executions of 30 days on two shared cores, server time in"
        f" milliseconds (`make page-times`, load of the machine {load:.1f}):",
        "",
        HEAD,
        "|---|---|---|---|---|",
    ]
    for address, name in NAMES.items():
        cells = [f"{figure:.0f}" for each in found for figure in each["pages"][address][:2]]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    removals = " | | ".join(f"{each['removal']:.0f}" for each in found)
    lines.append(f"| remove a job with {executions:,} executions | {removals} | |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
