"""Rows that announce their changes, whichever way the ORM made them."""

from __future__ import annotations

from typing import Any

from django.db import models, router

from ..db.notify import announce


class AnnouncingQuerySet(models.QuerySet):
    """Announces bulk statements. The engine writes through ``_base_manager``, which is silent."""

    def update(self, **kwargs: Any) -> int:
        rows = super().update(**kwargs)
        announce(self.db)
        return rows

    def delete(self) -> tuple[int, dict[str, int]]:
        self._for_write = True  # Django deletes with a copy, and leaves this one for reading
        deleted = super().delete()
        announce(self.db)
        return deleted

    def bulk_create(self, *args: Any, **kwargs: Any) -> list[Any]:
        self._for_write = True
        rows = super().bulk_create(*args, **kwargs)
        announce(self.db)
        return rows


class Announcing(models.Model):
    """Announces ``save()`` and ``delete()`` of one row."""

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        super().save(*args, **kwargs)
        announce(self._state.db or router.db_for_write(type(self), instance=self))

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        using = kwargs.get("using") or router.db_for_write(type(self), instance=self)
        deleted = super().delete(*args, **kwargs)
        announce(using)
        return deleted
