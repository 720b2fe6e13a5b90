"""One system, one measure, one database, in a process of its own. Prints one line of JSON."""

from __future__ import annotations

import json
import logging
import os
import sys
from importlib import import_module

from bench.systems import load


def main() -> None:
    name, measure, size = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
    logging.basicConfig(level=logging.CRITICAL)
    system = load(name)
    if system.apps:
        os.environ |= {"BENCH_APPS": system.apps, "DJANGO_SETTINGS_MODULE": "bench.settings"}
    system.prepare()
    result = import_module(f"bench.measures.{measure}").measure(system, **size)
    print(json.dumps(result), flush=True)
    os._exit(0)  # threads of a scheduler that died in its own way keep nothing waiting


if __name__ == "__main__":
    main()
