"""make demo: the default project, baked, installed and running until Ctrl-C."""

from __future__ import annotations

import sys
import time

from demo.processes import Processes, heed_signals
from demo.project import Project, prepare
from demo.steps import StepError, end_on_failure

WELCOME = """
  Home       {address}/
  Admin      {address}/admin/    user admin, password {password}
  Project    {folder}

  Two web workers and one scheduler run. Ctrl-C stops them all.
"""


def main() -> int:
    heed_signals()
    try:
        project = prepare()
        return serve(project)
    except StepError as error:
        return end_on_failure(error)
    except KeyboardInterrupt:
        print("\nStopped.")
        return 0


def serve(project: Project) -> int:
    commands = project.commands()
    with Processes(project.folder, project.env, sys.stdout) as processes:
        for name, command in commands.items():
            processes.start(name, command)
        project.wait_for_page()
        print(WELCOME.format(**vars(project), address=project.address), flush=True)
        while not (ended := processes.ended()):
            time.sleep(0.5)
        print(
            f"\nThe process {ended!r} ended by itself; its last lines are above.", file=sys.stderr
        )
    return 1


if __name__ == "__main__":
    sys.exit(main())
