"""Which database hears of a change: the one that was written to."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from scheduler.models import Execution, Job, announcing

pytestmark = pytest.mark.django_db


class ReadsFromAReplica:
    def db_for_read(self, model, **hints):
        return "replica"

    def db_for_write(self, model, **hints):
        return "default"


@pytest.fixture
def told(settings, monkeypatch) -> list[str]:
    aliases: list[str] = []
    monkeypatch.setattr(announcing, "announce", aliases.append)
    settings.DATABASE_ROUTERS = [f"{__name__}.ReadsFromAReplica"]
    return aliases


@pytest.mark.parametrize(
    "write",
    [
        lambda: Job.objects.filter(pk="a").delete(),
        lambda: Job.objects.all().delete(),
        lambda: Job.objects.update(name="b"),
        lambda: Job.objects.bulk_create([Job(id="b", trigger="{}")]),
        lambda: Job(id="a", trigger="{}").delete(),
        lambda: Job(id="b", trigger="{}").save(),
    ],
)
def test_an_announcement_never_goes_to_a_replica(told, write):
    Job(id="a", trigger="{}").save()
    told.clear()
    write()
    assert told == ["default"]


def test_old_executions_are_deleted_there_too(told):
    at = timezone.now() - timedelta(days=1)
    Execution(job_id="a", job_uid="0" * 32, due_at=at, queued_at=at, finished_at=at,
              status="succeeded").save()  # fmt: skip
    assert Execution.objects.delete_old_job_executions(60) == 1
