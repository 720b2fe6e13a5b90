"""Logs on stdout, one line a record, as text or as JSON. Django and gunicorn share them."""

from __future__ import annotations

import json
import logging
import re
import sys
import time
from typing import Any

from django.core.exceptions import ImproperlyConfigured

from .redaction import redacted

LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")


def logging_config(*, level: str, form: str, fold: bool) -> dict[str, Any]:
    """Return a dictionary for ``logging.config``.

    Args:
        level: the least severe level that is shown.
        form: ``text`` or ``json``.
        fold: whether tracebacks in text are folded into their record's line.

    Raises:
        ImproperlyConfigured: an unknown level or form.
    """
    if level.upper() not in LEVELS:
        raise ImproperlyConfigured(f"LOG_LEVEL is {level!r}. Accepted are {', '.join(LEVELS)}.")
    formatters = {"text": {"()": TextFormatter, "fold": fold}, "json": {"()": JsonFormatter}}
    if form not in formatters:
        raise ImproperlyConfigured(f"LOG_FORMAT is {form!r}. Accepted are text, json.")
    stdout = {
        "class": "logging.StreamHandler",
        "stream": "ext://sys.stdout",
        "formatter": "line",
        "filters": ["run"],
    }
    # These bring handlers of their own, which would repeat each line.
    tamed = ("django", "django.server", "gunicorn.error", "gunicorn.access")
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": formatters[form]},
        "filters": {"run": {"()": RunFields}},
        "handlers": {"stdout": stdout},
        "root": {"handlers": ["stdout"], "level": level.upper()},
        "loggers": {name: {"handlers": [], "propagate": True} for name in tamed},
    }


def mail_errors(config: dict[str, Any]) -> None:
    """Let Django's errors, such as those of views, reach ADMINS by mail as well."""
    config["filters"] |= {
        "production": {"()": "django.utils.log.RequireDebugFalse"},
        "probes": {"()": NotAProbe},
        "answered": {"()": NotAProbe, "but_errors": True},
    }
    config["handlers"]["mail"] = {
        "class": "config.error_mail.ErrorMail",
        "level": "ERROR",
        "filters": ["production", "probes"],
    }
    config["loggers"]["django"]["handlers"] = ["mail"]
    config["loggers"]["django.request"] = {"filters": ["answered"]}
    # Scanners that try host names are nobody's mistake.
    config["loggers"]["django.security.DisallowedHost"] = {
        "handlers": ["stdout"],
        "propagate": False,
    }


class NotAProbe(logging.Filter):
    """A probe that is told "not now" every few seconds is answered, and nobody's mail.

    Args:
        but_errors: let through what no probe should ever meet: an exception.
    """

    paths = ("/healthz", "/readyz", "/healthz/scheduler", "/metrics")

    def __init__(self, but_errors: bool = False) -> None:
        super().__init__()
        self.but_errors = but_errors

    def filter(self, record: logging.LogRecord) -> bool:
        if self.but_errors and record.exc_info:
            return True
        return getattr(getattr(record, "request", None), "path_info", "") not in self.paths


OBEYED = re.compile("[\0-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
"""Characters by which a text from outside would command the terminal that shows the log."""
RUN_FIELDS = ("job", "execution", "attempt")


class RunFields(logging.Filter):
    """Add the job, execution and attempt to what a job logs; the scheduler adds them itself."""

    def filter(self, record: logging.LogRecord) -> bool:
        # Not imported here: gunicorn logs before there are apps, and then nothing runs.
        runner = sys.modules.get("scheduler.engine.executors.runner")
        run = runner and runner.current_run()
        if run and not hasattr(record, "job"):
            record.job, record.execution, record.attempt = run.job_id, run.id, run.attempt
        return True


class TextFormatter(logging.Formatter):
    """``2026-01-31T23:59:59.123Z INFO logger: message``.

    Within a job: ``... INFO logger [job=home.heartbeat execution=12 attempt=1]: message``.
    """

    converter = time.gmtime  # type: ignore[assignment]
    default_time_format = "%Y-%m-%dT%H:%M:%S"
    default_msec_format = "%s.%03dZ"

    def __init__(self, fold: bool = True) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")
        self.fold = fold

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802
        fields = vars(record)
        run = " ".join(f"{name}={fields[name]}" for name in RUN_FIELDS if name in fields)
        where = f"{record.name} [{run}]" if run else record.name
        return f"{record.asctime} {record.levelname} {where}: {record.message}"

    def format(self, record: logging.LogRecord) -> str:
        text = redacted(super().format(record))
        text = "\\n".join(text.splitlines()) if self.fold else text
        return OBEYED.sub(lambda found: repr(found[0])[1:-1], text)


class JsonFormatter(TextFormatter):
    """One JSON object a line: time, level, logger, message, exception, and what ``extra`` gave."""

    standard = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": self.formatTime(record),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        extra = {key: value for key, value in vars(record).items() if key not in self.standard}
        return redacted(json.dumps({**extra, **line}, default=str, ensure_ascii=False))
