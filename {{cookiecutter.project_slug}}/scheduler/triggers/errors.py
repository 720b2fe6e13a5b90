from __future__ import annotations


class TriggerError(ValueError):
    """A trigger that makes no sense. ``field`` names the argument at fault, where there is one."""

    def __init__(self, message: str, field: str | None = None) -> None:
        super().__init__(f"{field}: {message}" if field else message)
        self.field = field
