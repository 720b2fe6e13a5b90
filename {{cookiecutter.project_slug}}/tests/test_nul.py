"""A NUL character, which PostgreSQL refuses, in what anybody may send."""

from __future__ import annotations

import pytest
from django.test import Client


@pytest.mark.django_db
def test_a_session_cookie_with_one_is_no_session(client: Client) -> None:
    # As in the header `Cookie: sessionid="aaaaaaaaaaaa\000aa"`.
    client.cookies["sessionid"] = "aaaaaaaaaaaa\0aa"
    assert client.get("/").status_code == 200
    assert client.get("/admin/").status_code == 302


@pytest.mark.parametrize("address", ["/a%00b/", "/admin/login/?next=%00", "/?%00=1"])
def test_an_address_with_one_is_a_bad_request(client: Client, address: str) -> None:
    assert client.get(address).status_code == 400
