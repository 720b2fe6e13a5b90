"""Jobs and executions belong on one admin site: the pages of either lead to the other."""

from __future__ import annotations

from django.contrib.admin import ModelAdmin
from django.core.checks import CheckMessage, Error
from django.db.models import Model


def check_beside(admin: ModelAdmin, other: type[Model]) -> list[CheckMessage]:
    """Check that the other of both models is registered on the same site."""
    if admin.admin_site.is_registered(other):
        return []
    names = admin.opts.object_name, other._meta.object_name
    return [
        Error(
            f"The admin site {admin.admin_site.name!r} has {names[0]} without {names[1]}: the "
            "pages of either lead to the other, and would fail.",
            hint=f"Register both, or neither: site.register({names[1]}, {names[1]}Admin), from "
            "scheduler.models and scheduler.admin. Permissions hide what somebody may not see.",
            id="scheduler.E021",
        )
    ]
