"""Tasks: functions that a request hands to the scheduler, and does not wait for."""

from __future__ import annotations

# % filter replace("django_tasks", cookiecutter.__tasks_api)
from django.core.mail import send_mail
from django_tasks import task


# % endfilter
@task
def send_test_mail(address: str) -> int:
    """Send a mail that shows that mail works, and that tasks run. Delete it when yours do."""
    return send_mail("It works", "A task of the scheduler sent this mail.", None, [address])
