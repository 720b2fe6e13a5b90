"""``make screenshots``: all pictures of the documents, on the newest Django, from any machine.

Where there is a Python for it, the pages are those of the newer Django, else those of the one that
runs this. They are drawn from a copy of the code, so that no traceback in a picture names a folder
of this machine.

    python -m tests.browser.studio [folder]
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import django

from .newer import make_newer
from .screenshots import FOLDER, ROOT

TEMPLATE = "{{cookiecutter.project_slug}}"
STUDIO = Path(tempfile.gettempdir()) / "shop"
SECONDS = 900


def main(folder: Path) -> None:
    """Copy the code, and start the programs that take pictures of it."""
    if STUDIO.exists():
        sys.exit(f"{STUDIO} is where the code is copied to, and is there already: remove it first")
    with tempfile.TemporaryDirectory() as scratch:
        newer = make_newer(Path(scratch) / "env") if django.VERSION < (6, 1) else None
        python = str(newer or sys.executable)
        try:
            for name in ("tests", TEMPLATE):
                hidden = shutil.ignore_patterns("__pycache__", ".*")
                shutil.copytree(ROOT / name, STUDIO / name, ignore=hidden)
            subprocess.run([python, "-m", "django", "--version"], check=True)
            for program, target in (("screenshots", folder), ("tour", folder / "tour.webp")):
                command = [python, "-m", f"tests.browser.{program}", str(target.resolve())]
                subprocess.run(command, cwd=STUDIO, check=True, timeout=SECONDS)
        finally:
            shutil.rmtree(STUDIO, ignore_errors=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)
