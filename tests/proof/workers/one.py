"""One combination, in a process that is set up for it: see ``__main__``."""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.proof.chaos.one import set_up

from . import engines, report


def main(name: str, options: dict[str, Any], out: Path) -> int:
    folder = Path(tempfile.mkdtemp(prefix="chaos-"))
    folder.chmod(0o755)
    engine, server = engines.make(name, folder)
    if missing := server.missing() or (engine.broker.missing() if engine.broker else ""):
        print(f"\n{engines.NAMES[name]} is left out: install {missing}")
        return int(os.environ.get("CI") == "true")
    os.environ["CHAOS_WORKERS"] = engine.setting
    server.create()
    if engine.broker is not None:
        engine.broker.create()
        os.environ["CHAOS_BROKER_URL"] = engine.broker.url()
    print(f"\n{engines.NAMES[name]}: {options['faults']} faults, seed {options['seed']}")
    set_up(server, "tests.proof.workers.settings")
    from .run import chaos

    def say(text: str) -> None:
        print(f"{name} {text}", flush=True)

    outcome = chaos(server, engine, folder, say=say, **options)
    out.write_text(json.dumps(report.as_data(name, outcome, options), indent=1))
    found = outcome.verdict.faults
    for text in found or ["no fault found"]:
        say(text)
    for felt in outcome.felt:
        if felt.bound is not None and felt.seconds > felt.bound:
            say(f"LATE {felt.fault}: {felt.measure} {felt.seconds:.2f} s > {felt.bound:g} s")
    if found:
        say(f"The logs, the record and the database are in {folder}")
        return 1
    shutil.rmtree(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], json.loads(sys.argv[2]), Path(sys.argv[3])))
