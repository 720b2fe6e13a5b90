"""The landing page. Replace it with your own; nothing else depends on it."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.contrib.admin.views.decorators import staff_member_required
from django.db.utils import Error as DatabaseError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from .board import read_board
from .tasks import send_test_mail


def index(request: HttpRequest) -> HttpResponse:
    """Show whether a scheduler runs; names, hosts and process ids only to those who may know."""
    insider = settings.DEBUG or request.user.is_staff
    context = {
        "name": settings.PROJECT_NAME,
        "description": settings.PROJECT_DESCRIPTION,
        "insider": insider,
        "development": settings.DEBUG,
    }
    try:
        context["board"] = read_board(insider)
    except DatabaseError:
        return render(request, "home/unready.html", context, status=503)
    return render(request, "home/index.html", context)


@require_POST
@staff_member_required
def test_mail(request: HttpRequest) -> HttpResponse:
    """Have the scheduler send a mail to who asks: the request does not wait for a mail server."""
    assert request.user.is_authenticated  # as staff_member_required made sure of
    address = request.user.email
    if address:
        send_test_mail.enqueue(address)
        messages.success(request, _("A mail to %(address)s is queued.") % {"address": address})
    else:
        messages.error(request, _("Your account has no e-mail address."))
    return redirect("home:index")
