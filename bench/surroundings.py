"""What else is there while a system is measured: many stored jobs, an old snapshot, a network."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from bench import databases, proxy


@contextmanager
def farther_away(variables: dict[str, str], seconds: float) -> Iterator[dict[str, str]]:
    """Name the same database behind a proxy that adds ``seconds`` to each round trip."""
    url = urlsplit(variables["BENCH_DATABASE_URL"])
    user, _, host = url.netloc.rpartition("@")
    port = url.port or {"postgres": 5432, "mysql": 3306}[url.scheme]
    with proxy.before(host.partition(":")[0], port, seconds) as near:
        there = url._replace(netloc=f"{user}@127.0.0.1:{near}").geturl()
        yield {**variables, "BENCH_DATABASE_URL": there}


def store(jobs: int) -> None:
    """Add jobs that are far from due to the database that Django is set up for. PostgreSQL only."""
    from django.db import connection
    from scheduler import scheduler as client
    from scheduler import triggers
    from scheduler.models import Job, Lease

    from bench.work import noop

    client.add_job(noop, "date", run_date="2099-01-01", id="far")
    names = [f.column for f in Job._meta.local_concrete_fields if not f.generated]
    values = [
        {"id": "'far-' || n", "uid": "gen_random_uuid()"}.get(name, f'"{name}"') for name in names
    ]
    columns = ", ".join(f'"{name}"' for name in names)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO scheduler_job ({columns}) SELECT {', '.join(values)} "
            "FROM scheduler_job, generate_series(2, %s) AS n WHERE id = 'far'",
            [jobs],
        )
        cursor.execute("ANALYZE scheduler_job")
    # The first leader of all looks through the jobs for those planned by other time zone rules: a
    # page at a time, once. What is measured is what comes after that.
    rules = triggers.fingerprint(datetime.now(UTC).year)
    Lease.objects.update_or_create(pk=1, defaults={"zone_rules": rules})


@contextmanager
def old_snapshot(runs: int) -> Iterator[None]:
    """Hold a snapshot open, as ``pg_dump`` does for as long as it takes. PostgreSQL only.

    Args:
        runs: so many have waited, run and ended since then. Their dead versions cannot be cleaned
            away; those in the index stand at the queue's head.
    """
    import psycopg
    from django.db import connection

    if not runs:
        yield
        return
    with psycopg.connect(os.environ["BENCH_DATABASE_URL"]) as other:
        other.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        other.execute("SELECT count(*) FROM scheduler_execution")
        _executions("snapshot", runs, "queued")
        with connection.cursor() as cursor:
            cursor.execute("UPDATE scheduler_execution SET status = 'running', started_at = due_at")
            cursor.execute(
                "UPDATE scheduler_execution SET status = 'succeeded', finished_at = due_at"
            )
        yield


def history(runs: int) -> None:
    """Write so many runs of the job ``old`` that ended a year ago. PostgreSQL only."""
    from django.db import connection

    _executions("old", runs, "succeeded", days_ago=365)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE scheduler_execution")


def _executions(job_id: str, runs: int, status: str, days_ago: int = 0) -> None:
    from django.db import connection
    from scheduler import scheduler as client
    from scheduler.models import Execution, Job

    from bench.work import noop

    client.add_job(noop, "date", run_date="2099-01-01", id=job_id)
    job = Job.objects.get(id=job_id)
    at = job.created_at - timedelta(days=days_ago)
    ended = at if status == "succeeded" else None
    Execution.for_job(
        job, status=status, scheduled_run_time=at, due_at=at, queued_at=at, started_at=ended,
        finished_at=ended,
    ).save()  # fmt: skip
    names = [f.column for f in Execution._meta.local_concrete_fields if not f.primary_key]
    columns = ", ".join(f'"{name}"' for name in names)
    copied = columns.replace('"job_uid"', "gen_random_uuid()")
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO scheduler_execution ({columns}) SELECT {copied} "
            "FROM scheduler_execution, generate_series(2, %s)",
            [runs],
        )


def version_or_none(kind: str) -> str | None:
    """Return the version of a server that can be measured; say in a line why it cannot."""
    try:
        return databases.version(kind)
    except (ConnectionError, ImportError) as error:
        print(f"Left out: {databases.LABELS[kind]}: {str(error).splitlines()[0]}", flush=True)
        return None
