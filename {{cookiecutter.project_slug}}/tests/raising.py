"""A program of test_disclosure.py: it fails in a view and in a job, and keeps what leaves it.

Its log goes to stdout, its events to Sentry, the rest into a file, as JSON.
"""

from __future__ import annotations

import io
import json
import logging
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import include, path


def fail(request: HttpRequest) -> HttpResponse:
    environment = dict(os.environ)
    raise RuntimeError(f"a view failed: {environment}")


urlpatterns = [path("fail/", fail), path("", include("config.urls"))]


PLAIN_FILES = "django.contrib.staticfiles.storage.StaticFilesStorage"


def main(file: Path) -> None:
    from django.conf import settings
    from django.core import mail
    from django.core.management import call_command
    from django.test import Client
    from django.test.utils import override_settings, setup_test_environment

    call_command("migrate", verbosity=0)
    debug = settings.DEBUG
    setup_test_environment(debug=debug)
    # As runserver has it, the environment is part of the request.
    client = Client(raise_request_exception=False, **{**os.environ, "SERVER_NAME": "localhost"})
    here: dict[str, Any] = {
        "ROOT_URLCONF": "tests.raising",
        "APSCHEDULER_ALLOWED_MODULES": ["tests"],
        # As nothing was collected.
        "STORAGES": settings.STORAGES | {"staticfiles": {"BACKEND": PLAIN_FILES}},
    }
    with override_settings(**here):
        page = client.post("/fail/", {"arg_card": os.environ["POSTED"]}, secure=True)
        run_the_job()
        seen = pages()
    send_what_waits()
    status = io.StringIO()
    with suppress(SystemExit):  # its code says that no scheduler leads
        call_command("scheduler", "status", "--json", stdout=status)
    written = {
        "page": page.content.decode(),
        "mails": [f"{message.subject}\n{message.body}" for message in mail.outbox],
        "status": status.getvalue() + history(),
        "pages": seen,
        "health": client.get("/healthz/scheduler").content.decode(),
    }
    file.write_text(json.dumps(written))


def fail_in_job() -> None:
    environment = dict(os.environ)
    print(environment)
    raise RuntimeError(f"a job failed: {environment}")


def run_the_job() -> None:
    from scheduler import scheduler
    from scheduler.testing import drain

    scheduler.add_job("tests.raising:fail_in_job", id="failing")
    drain()


def pages() -> dict[str, str]:
    from django.contrib.auth import get_user_model
    from django.test import Client

    from scheduler.models import Execution

    client = Client(SERVER_NAME="localhost")
    boss: Any = get_user_model().objects
    client.force_login(boss.create_superuser("boss"), "django.contrib.auth.backends.ModelBackend")
    (pk,) = Execution.objects.values_list("pk", flat=True)
    paths = ("", "execution/", f"execution/{pk}/change/")
    urls = [f"/admin/scheduler/{path}" for path in paths]
    return {url: client.get(url, secure=True).content.decode() for url in urls}


def history() -> str:
    from django.core.management import call_command

    out = io.StringIO()
    call_command("scheduler", "history", "failing", "--json", stdout=out)
    return out.getvalue()


def send_what_waits() -> None:
    from scheduler.monitoring.alerts import flush

    mailing: list[Any] = logging.getLogger("django").handlers
    for handler in mailing:
        handler.outbox.flush(10)
    flush(10)
    if "SENTRY_DSN" in os.environ:
        import sentry_sdk

        sentry_sdk.flush(10)
