"""Many rows in one statement: each value arrives as it was given, on every database."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import pytest
from scheduler.db.bulk import update_all_later, update_each
from scheduler.models import Execution

pytestmark = pytest.mark.django_db

TEXTS = [
    "",
    'it\'s "quoted" \\ and %s, {} and [1, null]',
    "two\nlines\tand a \r return",
    "Grüße, 世界, \N{GRINNING FACE}, \u2028",
    '{"id": 1}',
    "null",
]
MOMENTS = [
    None,
    datetime(1970, 1, 1, tzinfo=UTC),
    datetime(2026, 11, 27, 21, 14, 41, 123456, tzinfo=UTC),
    datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
]


def executions(count: int) -> list[Execution]:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    return [
        Execution.objects.create(
            job_id=f"job-{n}", job_uid=UUID(int=n), func="a:b", due_at=at, queued_at=at
        )
        for n in range(count)
    ]


def test_texts_and_moments_are_what_they_were():
    rows = executions(len(TEXTS))
    columns = ["log", "finished_at", "attempt", "node_id"]
    given = [
        (row.pk, text, MOMENTS[n % len(MOMENTS)], n + 1, UUID(int=n))
        for n, (row, text) in enumerate(zip(rows, TEXTS, strict=True))
    ]
    assert update_each("default", Execution, columns, given) == len(rows)
    found = Execution.objects.order_by("pk").values_list("pk", *columns)
    assert list(found) == given


def test_rows_that_are_not_named_stay():
    first, second, third = executions(3)
    update_all_later("default", Execution, [first.pk, third.pk], {"reason": "chosen"})
    reasons = dict(Execution.objects.values_list("pk", "reason"))
    assert reasons == {first.pk: "chosen", second.pk: "", third.pk: "chosen"}
