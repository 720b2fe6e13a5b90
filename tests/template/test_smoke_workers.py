"""``make smoke`` with workers: what it needs is said, and what is wrong fails it."""

from __future__ import annotations

import pytest

from demo import workers
from demo.steps import StepError


@pytest.fixture
def without_redis(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers.shutil, "which", lambda name: None)


@pytest.mark.usefixtures("without_redis")
def test_without_redis_smoke_says_so_and_leaves_celery_out(monkeypatch, capsys):
    monkeypatch.delenv("CI", raising=False)
    assert workers.answers() == ["django-tasks"]
    assert "redis-server is missing (on Debian: apt-get install redis)" in capsys.readouterr().out


@pytest.mark.usefixtures("without_redis")
def test_without_redis_smoke_fails_in_continuous_integration(monkeypatch):
    monkeypatch.setenv("CI", "true")
    with pytest.raises(StepError, match="redis-server is missing"):
        workers.answers()


def row(second: int, status: str = "succeeded") -> dict[str, object]:
    slot = f"2031-05-01T00:00:{second:02}+00:00"
    return {"scheduled_run_time": slot, "attempt": 1, "slots": 1, "status": status}


@pytest.mark.parametrize(
    ("ran", "rows", "passes"),
    [
        (range(10), [row(second) for second in range(10)], True),
        ([0, 1, 1, *range(2, 10)], [row(second) for second in range(10)], False),
        (range(10), [row(second) for second in range(10) if second != 3], False),
        (range(10), [row(second) for second in [3, *range(10)]], False),
        (range(10), [row(s, "skipped" if s == 3 else "succeeded") for s in range(10)], False),
    ],
)
def test_a_run_that_is_missing_doubled_or_left_out_fails_smoke(monkeypatch, ran, rows, passes):
    slots = [f"2031-05-01T00:00:{second:02}+00:00" for second in ran]
    monkeypatch.setattr(workers, "bodies", lambda project, job: slots)
    monkeypatch.setattr(workers, "history", lambda project, job: rows)
    assert workers.report("celery", object()) == passes
