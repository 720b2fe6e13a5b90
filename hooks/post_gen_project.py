"""Finish the project: a private .env, no empty folders, and a word on what comes next."""

from __future__ import annotations

import json
import os
import secrets
import shutil
from pathlib import Path

# Answers are data. tojson writes a single quote as \u0027, so none of them can end this string.
ANSWERS = json.loads(r'''{{ cookiecutter | tojson }}''')  # fmt: skip

# Folders whose every file an option may have left out.
OPTIONAL_FOLDERS = [".github/workflows", ".github", "deploy/k8s/ha", "deploy/k8s"]


def main() -> None:
    write_env(Path(".env"))
    remove_empty_folders()
    remove_compiled_files(Path("scheduler"))
    print(next_steps())


def write_env(path: Path) -> None:
    """Write the settings of this machine, readable by their owner alone; leave an older file be."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return
    with open(descriptor, "w", encoding="utf-8") as file:
        file.write(
            "# This machine's settings, never committed. What can stand here: .env.example\n"
            "DEBUG=true\n"
            f"SECRET_KEY={secrets.token_urlsafe(48)}\n"
        )


def remove_empty_folders() -> None:
    for folder in map(Path, OPTIONAL_FOLDERS):
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()


def remove_compiled_files(copied: Path) -> None:
    """A template whose Python was imported where it lies hands its __pycache__ folders on."""
    for folder in list(copied.rglob("__pycache__")):
        shutil.rmtree(folder)


def next_steps() -> str:
    return f"""
{ANSWERS["project_slug"]} is ready. What comes next:

  cd {ANSWERS["project_slug"]}
  make run      # installs into .venv, migrates, serves http://127.0.0.1:8000 beside a scheduler
  make admin    # an account for http://127.0.0.1:8000/admin/

All else: README.md
"""


if __name__ == "__main__":
    main()
