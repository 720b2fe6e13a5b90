"""What the proxy in front says of a client."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest


def client_address(request: HttpRequest) -> str:
    """Return the client's address: the last entry of ``X-Forwarded-For`` where a proxy sets it.

    Earlier entries are the client's own words. Without HTTPS no proxy is expected, and the address
    is that of the connection.
    """
    forwarded = request.headers.get("X-Forwarded-For", "") if settings.HTTPS else ""
    return forwarded.rpartition(",")[2].strip() or request.META.get("REMOTE_ADDR", "")
