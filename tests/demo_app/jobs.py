"""Jobs of a small shop: some succeed, some fail, some take their time."""

from __future__ import annotations

import os
import random
import time
from datetime import date

from django.utils import timezone
from scheduler import job

# Tests want something to happen at once, pictures a day with gaps in it.
PACE = int(os.environ.get("SHOP_PACE", "1"))


@job("interval", seconds=5 * PACE, name="Heartbeat")
def heartbeat() -> str:
    """Say that the scheduler is alive."""
    print("alive")
    return "alive"


@job("cron", hour=3, minute=30, timezone="Europe/Berlin", name="Nightly report", warn_after=600)
def nightly_report(day: date | None = None, recipients: tuple[str, ...] = ("ops@example.com",)):
    """Count the orders of a day and mail the result."""
    print(f"orders of {day or timezone.localdate()} for {', '.join(recipients)}")
    return {"orders": 1840, "returns": 12}


@job("interval", seconds=20 * PACE, name="Synchronise stock", max_retries=2, retry_delay=5)
def sync_stock(warehouse: str = "north", limit: int = 500, full: bool = False) -> dict:
    """Fetch stock levels of a warehouse."""
    print(f"asking warehouse {warehouse}")
    time.sleep(random.uniform(0.2, 1.5))
    if random.random() < 0.2:
        raise ConnectionError(f"warehouse {warehouse} did not answer in 10 s")
    return {"items": random.randrange(limit), "full": full}


@job(
    "cron",
    minute="*/15",
    name="Charge cards",
    kwargs={"key": "sk_live_51HxR2eKb"},
    sensitive=["key"],
)
def charge_cards(key: str, batch: int = 50) -> int:
    """Collect what is due."""
    print(f"charging with {key}")
    return batch


@job("crontab", expr="0 6 * * mon-fri", timezone="America/New_York", name="Morning mail")
def morning_mail() -> None:
    """Send the day's summary to subscribers."""


def resize_images(folder: str, *, width: int = 800, quality: float = 0.8) -> int:
    """Make small copies of new images."""
    for step in range(4):
        print(f"{folder}: {step * 25} %")
        time.sleep(1)
    return 4


def sleep_for(seconds: float) -> float:
    """Do nothing for a while."""
    print(f"asleep for {seconds:g} s")
    time.sleep(seconds)
    return seconds


def fail(message: str = "as asked") -> None:
    """Fail, to see how that looks."""
    raise RuntimeError(message)


def sometimes(fails: bool = False) -> str:
    """Fail if told to."""
    print("asking the warehouse")
    if fails:
        fail("the warehouse did not answer")
    return "done"
