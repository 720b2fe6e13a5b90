"""Logs on stdout, one line a record, as text or as JSON. Django and gunicorn share them."""

from __future__ import annotations

import json
import logging
import time
from typing import Any

from django.core.exceptions import ImproperlyConfigured

LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")


def logging_config(*, level: str, form: str, fold: bool) -> dict[str, Any]:
    """A ``logging.config`` dictionary.

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
    }
    # These bring handlers of their own, which would repeat each line.
    tamed = ("django", "django.server", "gunicorn.error", "gunicorn.access")
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": formatters[form]},
        "handlers": {"stdout": stdout},
        "root": {"handlers": ["stdout"], "level": level.upper()},
        "loggers": {name: {"handlers": [], "propagate": True} for name in tamed},
    }


def mail_errors(config: dict[str, Any]) -> None:
    """Let Django's errors, such as those of views, reach ADMINS by mail as well."""
    config["filters"] = {
        "production": {"()": "django.utils.log.RequireDebugFalse"},
        "probes": {"()": NotAProbe},
        "answered": {"()": NotAProbe, "but_errors": True},
    }
    config["handlers"]["mail"] = {
        "class": "django.utils.log.AdminEmailHandler",
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
        return getattr(getattr(record, "request", None), "path", "") not in self.paths


class TextFormatter(logging.Formatter):
    """``2026-01-31T23:59:59.123Z INFO logger: message``."""

    converter = time.gmtime  # type: ignore[assignment]
    default_time_format = "%Y-%m-%dT%H:%M:%S"
    default_msec_format = "%s.%03dZ"

    def __init__(self, fold: bool = True) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")
        self.fold = fold

    def format(self, record: logging.LogRecord) -> str:
        text = super().format(record)
        return "\\n".join(text.splitlines()) if self.fold else text


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
        return json.dumps({**extra, **line}, default=str, ensure_ascii=False)
