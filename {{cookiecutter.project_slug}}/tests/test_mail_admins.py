"""The command behind the alert unit of systemd."""

from __future__ import annotations

import io
import sys

import pytest
from django.core.management import CommandError, call_command


def test_it_mails_its_standard_input(settings, mailoutbox, monkeypatch) -> None:
    # % if cookiecutter.django_version == "5.2"
    settings.ADMINS = [("", "ops@example.com")]
    # % else
    settings.ADMINS = ["ops@example.com"]
    # % endif
    monkeypatch.setattr(sys, "stdin", io.StringIO("the last lines of its journal"))
    call_command("mail_admins", "web failed", stdout=io.StringIO())
    (mail,) = mailoutbox
    assert mail.to == ["ops@example.com"]
    assert "web failed" in mail.subject
    assert "the last lines" in mail.body


def test_without_admins_it_says_so(settings) -> None:
    settings.ADMINS = []
    with pytest.raises(CommandError, match="ADMINS is empty"):
        call_command("mail_admins", "web failed")
