"""Leases: rows that one process takes, which others then leave alone for some time."""

from typing import Any, TypeVar

from django.db import transaction
from django.db.models import Model, QuerySet

AnyModel = TypeVar("AnyModel", bound=Model)


def lease(free: QuerySet[AnyModel], *, most: int, **taken: Any) -> list[AnyModel]:
    """Takes up to `most` of the rows that are free, by setting the columns `taken`. Returns the rows as they were.

    Rows that another process is taking right now are passed over.
    """
    if not free.exists():
        return []
    with transaction.atomic():
        rows = list(free.select_for_update(skip_locked=True)[:most])
        free.model._default_manager.filter(pk__in=[row.pk for row in rows]).update(**taken)
    return rows
