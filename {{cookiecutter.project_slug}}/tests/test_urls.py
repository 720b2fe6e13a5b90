"""Addresses that no app of the project's own answers."""

from __future__ import annotations

import pytest
from django.contrib.auth import get_user_model
from django.contrib.staticfiles import finders
from django.test import Client


def test_the_icon_that_browsers_ask_for_is_the_site_s(client: Client) -> None:
    response = client.get("/favicon.ico")
    assert response.status_code == 302
    assert finders.find(response.headers["Location"].removeprefix("/static/"))


@pytest.mark.django_db
def test_an_address_without_a_page_says_so_and_leads_on(client: Client) -> None:
    response = client.get("/nowhere/")
    assert response.status_code == 404
    assert "<h1>There is no such page</h1>" in response.text
    assert '<a href="/">' in response.text


@pytest.mark.django_db
def test_a_page_that_an_account_may_not_see_says_so_and_leads_on(client: Client) -> None:
    user = get_user_model().objects.create_user(username="ada", is_staff=True)
    client.force_login(user)
    response = client.get("/admin/scheduler/execution/")
    assert response.status_code == 403
    assert "<h1>You may not see this page</h1>" in response.text
    assert '<a href="/">' in response.text


def test_a_request_that_cannot_be_answered_says_so_and_leads_on(client: Client) -> None:
    response = client.get("/", {"name": "\0"})
    assert response.status_code == 400
    assert "<h1>This request cannot be answered</h1>" in response.text
    assert '<a href="/">' in response.text
