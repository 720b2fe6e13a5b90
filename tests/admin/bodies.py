"""Functions whose forms are looked at."""

from __future__ import annotations

from datetime import datetime, time
from decimal import Decimal


def typed(
    text: str = "x",
    limit: int | None = 100,
    ratio: float = 0.5,
    price: Decimal = Decimal(1),
    at: datetime | None = None,
    clock: time = time(3),
    full: bool | None = True,
    other: str = "",
) -> None:
    """One of each kind."""


def needs(text: str, limit: int | None, other: str = "") -> None:
    """Nothing goes without saying."""


def through(name: str, **options: object) -> None:
    """Some arguments have no parameter of their own."""


def sign_in(user: str, password: str = "") -> None:
    """No job marks its arguments."""


def loose(key, batch=50) -> None:
    """Without annotations."""
