"""django-apscheduler's helpers, under their names."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from datetime import datetime
from typing import Any, ParamSpec, TypeVar

from django import db
from django.utils import dateformat, timezone

from .conf import conf
from .db import connection

P = ParamSpec("P")
R = TypeVar("R")


def close_old_connections(func: Callable[P, R]) -> Callable[P, R]:
    """Close dead and outdated connections before and after the function.

    Bodies that this app's scheduler calls get that anyway; the decorator does no harm.
    """

    @functools.wraps(func)
    def closing(*args: P.args, **kwargs: P.kwargs) -> R:
        connection.close_old_connections()
        try:
            return func(*args, **kwargs)
        finally:
            connection.close_old_connections()

    return closing


def retry_on_db_operational_error(func: Callable[P, R]) -> Callable[P, R]:
    """Call the function once more, on a new connection, if the database's was lost."""

    @functools.wraps(func)
    def retrying(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return func(*args, **kwargs)
        except (db.OperationalError, db.InterfaceError):
            connection.close_old_connections()
            return func(*args, **kwargs)

    return retrying


def get_dt_format() -> str:
    """Return ``APSCHEDULER_DATETIME_FORMAT``."""
    return conf().DATETIME_FORMAT


def get_local_dt_format(dt: datetime | None) -> str:
    """Format a time in the current zone, as configured; empty for None."""
    if dt is None:
        return ""
    return dateformat.format(
        timezone.localtime(dt) if timezone.is_aware(dt) else dt, get_dt_format()
    )


def get_django_internal_datetime(dt: datetime | None) -> datetime | None:
    """Make a time aware, as the rows are."""
    return timezone.make_aware(dt) if dt is not None and timezone.is_naive(dt) else dt


def get_apscheduler_datetime(dt: datetime | None, scheduler: Any) -> datetime | None:
    """Make a time aware, in the scheduler's zone if it had none."""
    if dt is not None and timezone.is_naive(dt):
        return timezone.make_aware(dt, timezone=scheduler.timezone)
    return dt


def register_job(scheduler: Any, *args: Any, **kwargs: Any) -> Callable[..., Any]:
    """Add a job by a decorator, with the id ``module.function``. Deprecated."""

    def register(func: Callable[..., Any]) -> Callable[..., Any]:
        warnings.warn(
            "register_job is deprecated: use @scheduler.job", DeprecationWarning, stacklevel=2
        )
        options = {"id": f"{func.__module__}.{func.__name__}", **kwargs}
        if getattr(scheduler, "is_client", False):  # importing a module must write nothing
            scheduler.scheduled_job(*args, **options)(func)
        else:
            scheduler.add_job(func, *args, **options)
        return func

    return register


def register_events(scheduler: Any, result_storage: Any = None) -> None:
    """Do nothing: runs are recorded anyway."""
    warnings.warn("register_events does nothing: remove it", DeprecationWarning, stacklevel=2)
