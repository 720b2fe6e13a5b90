"""The demo shop behind a strict content security policy."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from tests.settings import *  # noqa: F403
from tests.settings import INSTALLED_APPS, MIDDLEWARE

DEBUG = True  # runserver serves static files
ALLOWED_HOSTS = ["127.0.0.1"]
INSTALLED_APPS = [*INSTALLED_APPS, "tests.demo_app"]
sessions, *others = MIDDLEWARE
locale = "django.middleware.locale.LocaleMiddleware"  # with every language of Django's
MIDDLEWARE = ["tests.browser.settings.strict", sessions, locale, *others]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


def strict(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable:
    """No inline script, no inline style, nothing from elsewhere."""

    def respond(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        response["Content-Security-Policy"] = (
            "default-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'"
        )
        return response

    return respond
