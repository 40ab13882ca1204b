"""Entries of others that name a person: as somebody who is called, who reacted, or whom a notice is about."""

from collections.abc import Callable, Sequence
from typing import Any

from django.db.models import Q, QuerySet, TextField
from django.db.models.functions import Cast

from chat.domain.events import Kind
from chat.domain.people import Person
from chat.models import Message
from chat.storage.erasing.people import ERASED_ID, erased, without_names

BATCH_SIZE = 500  # entries that are changed at once
COLUMNS = ["text", "mentions", "reactions", "subject", "person_id", "person_name", "sender", "client_id"]


def forget_name(person: Person, names: Sequence[str]) -> int:
    """Takes the person out of all entries that name them. Returns how many these were.

    One pass through all entries, since nothing else finds a name within others' entries.
    """
    named = f'"{person.id}"'
    entries = Message.objects.annotate(
        called=Cast("mentions", TextField()), reacting=Cast("reactions", TextField())
    ).filter(Q(called__contains=named) | Q(reacting__contains=named) | Q(subject=person.id) | Q(person_id=person.id))
    return _change_all(entries, lambda row: _forget(row, person, names))


def _forget(row: Message, person: Person, names: Sequence[str]) -> None:
    if row.mentions:
        row.mentions = [one for one in row.mentions if one.get("id") != person.id] or None
    if row.reactions:
        row.reactions = [_without(reaction, person) for reaction in row.reactions]
    about = person.id in {row.subject, row.person_id}
    if about and row.kind != Kind.MESSAGE:
        row.text = without_names(row.text, names)
    if row.subject == person.id:
        row.subject = ERASED_ID
    if row.person_id == person.id:
        row.person_id, row.person_name, row.sender, row.client_id = ERASED_ID, erased().name, "", None


def _without(reaction: dict[str, Any], person: Person) -> dict[str, Any]:
    """The reaction in which that person is counted, and not named."""
    return {**reaction, "people": [one for one in reaction.get("people", ()) if one.get("id") != person.id]}


def _change_all(entries: QuerySet[Message], change: Callable[[Message], None]) -> int:
    changed, after = 0, 0
    while rows := list(entries.filter(pk__gt=after).order_by("pk")[:BATCH_SIZE]):
        after = rows[-1].pk
        for row in rows:
            change(row)
        Message.objects.bulk_update(rows, COLUMNS, batch_size=100)
        changed += len(rows)
    return changed
