"""The logs of lists in the database: synchronous, so one goes through `in_database`, one hop for each function."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db import transaction
from django.db.models import F, OuterRef, Q, Subquery

from chat.domain.logs import Head
from chat.domain.positions import START, Position
from chat.domain.recoveries import LogPart, Range
from chat.errors import ChatError
from chat.storage.database import reads_long, writes
from tests.example_app import models
from tests.example_app.lists import KINDS, Contents, InvalidEntry, NotShared, TodoEntry, TodoList


@writes
def append(*, todo: TodoList, kind: str, person: Any, client_id: str | None = None, **fields: Any) -> TodoEntry:
    """Adds an entry to the list's log, in one transaction. Sent twice, it is added once. Raises NotShared."""
    with transaction.atomic():
        models.List.objects.get_or_create(name=todo.name)
        # From here on the list is locked: offsets have no holes, and are seen in their order.
        models.List.objects.filter(name=todo.name).update(last_offset=F("last_offset") + 1)
        row = models.List.objects.get(name=todo.name)
        if error := refused([(todo, person)]).get((todo, person)):
            raise error
        sender = {"by_id": person.id, "client_id": client_id}
        if client_id is not None and (first := row.entries.filter(**sender).first()):
            transaction.set_rollback(True)
            return as_entry(first, todo)
        before = row.entries.filter(offset=row.last_offset - 1).first()
        entry = row.entries.create(offset=row.last_offset, kind=kind, by=person.name, **sender, **fields)
        change_shares(row, entry, person.id)
    return as_entry(entry, todo, previous=str(before.uid) if before else None)


def change_shares(row: models.List, entry: models.Entry, by: str) -> None:
    if entry.kind == "shared":
        models.List.objects.filter(pk=row.pk).update(is_private=True)
        for person_id in (by, entry.subject):
            row.shares.get_or_create(person_id=person_id)
    elif entry.kind == "unshared":
        row.shares.filter(person_id=entry.subject).delete()
    elif entry.kind == "done" and not row.entries.filter(kind="added", offset=entry.target or 0).exists():
        raise InvalidEntry("There is nothing at {offset} to be done.", offset=entry.target)


def heads(lists: Iterable[TodoList]) -> dict[TodoList, Head]:
    """Where their logs end, and whether not everybody may hear them. One query."""
    last = models.Entry.objects.filter(list=OuterRef("pk"), offset=OuterRef("last_offset")).values("uid")
    rows = models.List.objects.filter(name__in={todo.name for todo in lists}).annotate(uid=Subquery(last))
    return {
        TodoList(row.name): Head(Position(row.last_offset, row.uid and str(row.uid)), restricted=row.is_private)
        for row in rows
    }


def read(ranges: Mapping[TodoList, Sequence[Range]]) -> dict[TodoList, LogPart]:
    """The entries in these ranges of offsets. Two queries: first how far the logs have come, then entries."""
    rows = models.List.objects.filter(name__in=[todo.name for todo in ranges])
    parts = {TodoList(row.name): LogPart(last_offset=row.last_offset) for row in rows}
    wanted = Q()
    for todo, several in ranges.items():
        for first, last in several:
            wanted |= Q(list__name=todo.name, offset__range=(first, last))
    for entry in models.Entry.objects.filter(wanted).select_related("list"):
        todo = TodoList(entry.list.name)
        if todo in parts:
            parts[todo].entries[entry.offset] = as_entry(entry, todo)
    return parts


@reads_long
def contents(todo: TodoList, person: Any) -> Contents:
    """The list as a whole. One query, so that things and position are of the same moment. Raises NotShared."""
    things: dict[int, str] = {}
    position = START
    for entry in models.Entry.objects.filter(list__name=todo.name).order_by("offset"):
        position = Position(entry.offset, str(entry.uid))
        if entry.kind == "added":
            things[entry.offset] = entry.text
        elif entry.kind == "done":
            things.pop(entry.target or 0, None)
    if error := refused([(todo, person)]).get((todo, person)):  # asked last, as in a recovery
        raise error
    return Contents(things, position)


def refused(pairs: Sequence[tuple[TodoList, Any]]) -> dict[tuple[TodoList, Any], ChatError]:
    """Those of the people who may not hear the list beside them, with the error that says so. Two queries."""
    names = {todo.name for todo, _ in pairs}
    private = set(models.List.objects.filter(name__in=names, is_private=True).values_list("name", flat=True))
    shares = set(models.Share.objects.filter(list__name__in=private).values_list("list__name", "person_id"))
    return {
        (todo, person): not_shared(todo)
        for todo, person in pairs
        if todo.name in private and (todo.name, person.id) not in shares
    }


def not_shared(todo: TodoList) -> NotShared:
    return NotShared("“{name}” is not shared with you.", name=todo.name)


def as_entry(row: models.Entry, todo: TodoList, *, previous: str | None = None) -> TodoEntry:
    return TodoEntry(
        log=todo,
        offset=row.offset,
        id=str(row.uid),
        previous=previous,
        kind=row.kind,
        known=row.kind in KINDS,
        sent_at=row.made_at,
        text=row.text,
        by=row.by,
        target=row.target,
        subject=row.subject,
        client_id=row.client_id,
    )
