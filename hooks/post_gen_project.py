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

# As in README.md under Start: a server's database must be there before `make run`.
MAKE_DATABASE = {
    "sqlite": "",
    "postgresql": """
  sudo -u postgres createuser --createdb "$USER"
  createdb SLUG
""",
    "mysql": r"""
  sudo apt-get install gcc libmariadb-dev pkg-config python3-dev    # the driver compiles
  sudo mariadb -e "CREATE DATABASE \`SLUG\` CHARACTER SET utf8mb4"
  sudo mariadb -e "CREATE USER IF NOT EXISTS '$USER'@localhost IDENTIFIED VIA unix_socket"
  sudo mariadb -e "GRANT ALL ON \`SLUG\`.* TO '$USER'@localhost"
  sudo mariadb -e "GRANT ALL ON \`test_SLUG\`.* TO '$USER'@localhost"
""",
}


def main() -> None:
    write_env(Path(".env"))
    remove_empty_folders()
    remove_leftovers()
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


def remove_leftovers() -> None:
    """Remove what tools left in the template's folders, such as .ruff_cache."""
    own = [folder for folder in Path().iterdir() if folder.is_dir() and folder.name[0] != "."]
    for name in ("__pycache__", ".*_cache"):
        found = [*Path().glob(name), *(inner for folder in own for inner in folder.rglob(name))]
        for folder in found:
            shutil.rmtree(folder, ignore_errors=True)  # it may have lain in one that is gone


def next_steps() -> str:
    slug = ANSWERS["project_slug"]
    make_database = MAKE_DATABASE[ANSWERS["database"]].lstrip("\n").replace("SLUG", slug)
    return f"""
{slug} is ready. What comes next:

  cd {slug}
{make_database}\
  make run      # installs into .venv, migrates, serves http://127.0.0.1:8000 beside a scheduler
  make admin    # an account for http://127.0.0.1:8000/admin/

All else: README.md
"""


if __name__ == "__main__":
    main()
