"""The project's own user model, in the admin."""

from __future__ import annotations

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from django.urls import reverse

from accounts.models import User

pytestmark = pytest.mark.django_db


def test_the_user_model_is_the_project_s_own() -> None:
    assert get_user_model() is User
    assert User._meta.db_table == "accounts_user"


def test_an_account_made_in_the_admin_can_log_in(admin_client: Client, client: Client) -> None:
    name, password = "ann", "correct horse battery"
    added = admin_client.post(
        reverse("admin:accounts_user_add"),
        {"username": name, "usable_password": "true", "password1": password, "password2": password},
    )
    user = User.objects.get(username=name)
    page = reverse("admin:accounts_user_change", args=[user.pk])
    assert (added.status_code, added.url) == (302, page)
    User.objects.filter(pk=user.pk).update(is_staff=True)

    form = {"username": name, "password": password, "next": reverse("admin:index")}
    answer = client.post(reverse("admin:login"), form)
    assert (answer.status_code, answer.url) == (302, reverse("admin:index"))
    assert client.get(reverse("admin:index")).context["user"] == user


def test_the_admin_edits_an_account(admin_client: Client) -> None:
    user = User.objects.create_user("ann", is_staff=True)
    page = reverse("admin:accounts_user_change", args=[user.pk])
    form = admin_client.get(page).context["adminform"].form
    values = {name: value for name, value in form.initial.items() if value and name != "password"}
    joined = {"date_joined_0": user.date_joined.date(), "date_joined_1": "12:00:00"}
    answer = admin_client.post(page, {**values, **joined, "first_name": "Ann"})
    assert answer.status_code == 302
    user.refresh_from_db()
    assert (user.first_name, user.is_staff) == ("Ann", True)
