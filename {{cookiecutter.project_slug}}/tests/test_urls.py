"""Addresses that no app of the project's own answers."""

from __future__ import annotations

from django.contrib.staticfiles import finders
from django.test import Client


def test_the_icon_that_browsers_ask_for_is_the_site_s(client: Client) -> None:
    response = client.get("/favicon.ico")
    assert response.status_code == 302
    assert finders.find(response.headers["Location"].removeprefix("/static/"))
