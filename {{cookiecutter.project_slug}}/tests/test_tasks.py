"""The task of the landing page: queued by the request, run by the scheduler."""

from __future__ import annotations

import pytest
from django.core import mail
from django.test import Client

from home.tasks import send_test_mail
from scheduler.models import Execution
from scheduler.testing import run_due

pytestmark = pytest.mark.django_db


def test_the_request_queues_a_mail_and_the_scheduler_sends_it(admin_client: Client) -> None:
    response = admin_client.post("/test-mail/")
    assert response.status_code == 302
    assert mail.outbox == []

    [run] = run_due()
    assert run.status == "succeeded", run.traceback
    assert [message.to for message in mail.outbox] == [["admin@example.com"]]


def test_only_staff_may_send_mails(client: Client, admin_client: Client) -> None:
    client.post("/test-mail/")
    assert admin_client.get("/test-mail/").status_code == 405
    assert not Execution.objects.exists()


def test_whoever_has_no_address_is_told_so(admin_client: Client, admin_user) -> None:
    admin_user.email = ""
    admin_user.save()
    response = admin_client.post("/test-mail/", follow=True)
    assert "no e-mail address" in response.content.decode()
    assert not Execution.objects.exists()


def test_a_result_is_read_back() -> None:
    result = send_test_mail.enqueue("ada@example.com")
    run_due()
    result.refresh()
    assert result.return_value == 1
