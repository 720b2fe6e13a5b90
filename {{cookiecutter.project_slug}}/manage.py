#!/usr/bin/env python
"""Django's commands for this project."""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    try:
        from django.core.management import execute_from_command_line
        from django.db import OperationalError, connection
    except ImportError as error:
        raise SystemExit(
            "Django is not installed for this Python. Run `make install`, then use "
            ".venv/bin/python manage.py"
        ) from error
    try:
        execute_from_command_line(sys.argv)
    except OperationalError:
        try:
            connection.ensure_connection()
        except OperationalError as error:
            file = f": {connection.settings_dict['NAME']}" if connection.vendor == "sqlite" else ""
            raise SystemExit(
                f"The database cannot be reached: {error}{file}\n"
                "README.md says under Start how to make it; DATABASE_URL names another."
            ) from None
        raise


if __name__ == "__main__":
    main()
