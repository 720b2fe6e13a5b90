"""Logging in: who guesses passwords is kept out for a while, and is in the log."""

from __future__ import annotations

import logging

import pytest
from django.test import Client, RequestFactory
from django.urls import reverse

from accounts.models import User
from config.proxy import client_address

NAME, PASSWORD = "ann", "correct horse battery"


@pytest.fixture
def user(db: None) -> User:
    return User.objects.create_user(NAME, password=PASSWORD, is_staff=True)


def log_in(client: Client, password: str, address: str = "192.0.2.1") -> int:
    form = {"username": NAME, "password": password}
    return client.post(reverse("admin:login"), form, REMOTE_ADDR=address).status_code


def test_ten_wrong_passwords_close_the_door_for_that_address(user: User, settings) -> None:
    client = Client()
    for _ in range(settings.AXES_FAILURE_LIMIT - 1):
        assert log_in(client, "wrong") == 200
    assert log_in(client, "wrong") == 429
    assert log_in(client, PASSWORD) == 429
    assert log_in(client, PASSWORD, address="192.0.2.2") == 302


def test_a_right_password_forgets_the_wrong_ones(user: User, settings) -> None:
    client = Client()
    for _ in range(2):
        for _ in range(settings.AXES_FAILURE_LIMIT - 1):
            assert log_in(client, "wrong") == 200
        assert log_in(client, PASSWORD) == 302


def test_a_failed_login_is_in_the_log_without_its_password(
    user: User, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        log_in(Client(), "a wrong secret")
    (record,) = [record for record in caplog.records if record.name.startswith("axes")]
    assert "192.0.2.1" in record.getMessage()
    assert "a wrong secret" not in caplog.text


@pytest.mark.parametrize(
    ("https", "forwarded", "address"),
    [
        (True, "203.0.113.9, 198.51.100.7", "198.51.100.7"),
        (True, "", "192.0.2.1"),
        (False, "203.0.113.9", "192.0.2.1"),
    ],
)
def test_the_address_is_what_the_proxy_says(settings, https, forwarded, address) -> None:
    settings.HTTPS = https
    request = RequestFactory().get(
        "/", REMOTE_ADDR="192.0.2.1", headers={"x-forwarded-for": forwarded}
    )
    assert client_address(request) == address
