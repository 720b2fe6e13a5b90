"""How long each list takes with 1,000 jobs and 1,000,000 executions.

    TEST_DATABASE_URL=... python -m tests.admin.measure [--executions N] [--keep] [--remove]

Fills the database (``--keep``: takes it as it is), then asks for each page and prints the median
and the 95th percentile of the server's time in milliseconds, beside the median of this process's
own share of it; ``--remove``: and how long it takes to remove a job that owns all executions;
``--json FILE``: and writes them there. ``tests.admin.page_times`` writes docs/admin.md from it.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")

TIMES = 40


def main() -> None:
    import django
    from django.conf import settings
    from django.core.management import call_command

    django.setup()
    settings.ALLOWED_HOSTS = ["*"]
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=1000)
    parser.add_argument("--executions", type=int, default=1_000_000)
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--remove", action="store_true")
    parser.add_argument("--days", type=float, default=7.0)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    if not options.keep:
        from tests.seeding import seed

        call_command("migrate", verbosity=0)
        seed(options.jobs, options.executions, days=options.days)
        settle()
    client = logged_in()
    from scheduler.models import Execution

    from .addresses import ADDRESSES, EXECUTIONS, NAMES

    first = f"{EXECUTIONS}1/change/"
    newest = f"{EXECUTIONS}{Execution._base_manager.latest('id').pk}/change/"
    found: dict[str, Any] = {"load": os.getloadavg()[0], "pages": {}}

    print(f"{'median':>8} {'p95':>8} {'CPU':>8}  ms, load {os.getloadavg()[0]:.1f}")
    for address in dict.fromkeys((*ADDRESSES, *NAMES)):
        asked = newest if address == first else address
        walls, shares = zip(*(timed(client, asked) for _ in range(TIMES)), strict=True)
        median, p95 = (sorted(walls)[int(TIMES * share)] for share in (0.5, 0.95))
        share = sorted(shares)[TIMES // 2]
        found["pages"][address] = median, p95, share
        print(f"{median:8.1f} {p95:8.1f} {share:8.1f}  {asked}", flush=True)
    if options.remove:
        found["removal"] = remove_a_whale(client)
        print(f"{found['removal']:8.1f}{'':20}removing a job with all executions")
    if options.json:
        options.json.write_text(json.dumps(found))


def settle() -> None:
    """What autovacuum does in time."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute({"postgresql": "VACUUM ANALYZE"}.get(connection.vendor, "ANALYZE"))


def logged_in():
    from django.contrib.auth import get_user_model
    from django.test import Client

    user, _ = get_user_model().objects.get_or_create(
        username="measure", defaults={"is_staff": True, "is_superuser": True}
    )
    client = Client()
    client.force_login(user)
    return client


def timed(client, address: str) -> tuple[float, float]:
    began, share = time.perf_counter(), time.process_time()
    assert client.get(address).status_code == 200, address
    return (time.perf_counter() - began) * 1000, (time.process_time() - share) * 1000


def remove_a_whale(client) -> float:
    from scheduler.models import Execution, Job

    job = Job.objects.order_by("pk").first()
    Execution._base_manager.all().update(job_id=job.pk, job_uid=job.uid)
    settle()
    began = time.perf_counter()
    client.post(f"/admin/scheduler/job/{job.pk.replace('_', '_5F')}/delete/", {"post": "yes"})
    spent = (time.perf_counter() - began) * 1000
    assert not Job.objects.filter(pk=job.pk).exists()
    assert Execution.objects.filter(job_id=job.pk).exists()
    return spent


if __name__ == "__main__":
    main()
