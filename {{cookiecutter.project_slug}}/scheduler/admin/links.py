"""Addresses of the admin's pages, on the admin site that the request came to."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.contrib.admin.utils import quote
from django.db.models import Model
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _


def url(request: HttpRequest, name: str, key: Any = None, **kwargs: str) -> str:
    """Return the address of a page, such as ``scheduler_job_change`` of the job with id ``key``.

    A project may have several admin sites, which share the application's namespace.
    """
    site = request.resolver_match.namespace if request.resolver_match else None
    args = [] if key is None else [quote(key)]
    return reverse(f"admin:{name}", args=args, kwargs=kwargs, current_app=site)


def press_again(request: HttpRequest, address: str) -> HttpResponse:
    """Answer a request that is no click, as after a login in between: say so, and lead back."""
    if request.method not in ("GET", "HEAD"):
        return HttpResponseNotAllowed(["POST"])
    messages.warning(request, _("Nothing was done yet: press the button again."))
    return HttpResponseRedirect(address)


def tell_gone(request: HttpRequest, job_id: str) -> None:
    """Tell the user that there is no such job."""
    messages.error(request, _("There is no job %(id)s any more.") % {"id": job_id})


def lead_on(request: HttpRequest, model: type[Model]) -> HttpResponse:
    """Lead to the list of the model's rows; who may not see it, to the admin's index."""
    name = model._meta.model_name
    may_see = any(request.user.has_perm(f"scheduler.{verb}_{name}") for verb in ("view", "change"))
    return HttpResponseRedirect(
        url(request, f"scheduler_{name}_changelist" if may_see else "index")
    )


def row_routes(
    admin: ModelAdmin, names: Iterable[str], view: Callable[[str], Callable[..., Any]]
) -> list[URLPattern]:
    """Return the routes below a row's address, one for each action that is named.

    Args:
        view: makes the view of an action from its name.
    """
    site, model = admin.admin_site, admin.opts.model_name
    return [
        path(
            f"<path:object_id>/{name}/",
            site.admin_view(view(name)),
            name=f"scheduler_{model}_{name}",
        )
        for name in names
    ]
