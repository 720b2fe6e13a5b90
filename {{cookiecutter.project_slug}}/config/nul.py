"""No NUL character reaches a database: PostgreSQL refuses it, and the visitor would get a 500."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import unquote

from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse

NUL = "\0"


class RefuseNulMiddleware:
    """Answers 400 to a NUL in an address, and ignores cookies with one. Forms check their own."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if NUL in request.path_info or NUL in unquote(request.META.get("QUERY_STRING", "")):
            raise BadRequest("A NUL character in the address.")
        for name in [name for name, value in request.COOKIES.items() if NUL in value]:
            del request.COOKIES[name]
        return self.get_response(request)
