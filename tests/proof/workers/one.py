"""One combination, in a process that is set up for it: see ``__main__``."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.proof.chaos import launch
from tests.proof.chaos.one import set_up

from . import engines, report


def main(name: str, options: dict[str, Any], out: Path) -> int:
    folder = Path(tempfile.mkdtemp(prefix="chaos-"))
    folder.chmod(0o755)
    engine, server = engines.make(name, folder)
    if missing := server.missing() or (engine.broker.missing() if engine.broker else ""):
        return launch.left_out(engines.NAMES[name], missing)
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
    return launch.conclude(outcome, folder, say)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], json.loads(sys.argv[2]), Path(sys.argv[3])))
