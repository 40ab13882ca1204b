"""How lists plug into the hub."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from chat.delivery.source import RECHECK, Effect, Exclusion, Source
from chat.domain.logs import Head, MalformedEvent
from chat.domain.people import Person
from chat.domain.recoveries import LogPart, Range
from chat.errors import ChatError
from chat.storage.database import in_database
from tests.example_app import storage
from tests.example_app.lists import KINDS, TodoEntry, TodoList

TYPES = {  # of the keys in groups
    "offset": int,
    "id": str,
    "previous": str | None,
    "kind": str,
    "sent_at": str,
    "text": str,
    "by": str,
    "target": int | None,
    "subject": str,
    "client_id": str | None,
}


class TodoSource(Source[TodoList, TodoEntry]):
    event_type = "todo.entry"

    # Where the logs are read

    async def heads(self, logs: Sequence[TodoList]) -> Mapping[TodoList, Head]:
        return await in_database(storage.heads, logs)

    async def read(self, ranges: Mapping[TodoList, Sequence[Range]]) -> Mapping[TodoList, LogPart]:
        return await in_database(storage.read, ranges)

    # Permission to hear them

    async def refused(self, pairs: Sequence[tuple[TodoList, Person]]) -> Mapping[tuple[TodoList, Person], ChatError]:
        return await in_database(storage.refused, pairs)

    def effect(self, event: TodoEntry) -> Effect | None:
        if event.kind == "unshared":
            return Effect(excludes=Exclusion(event.subject, partial(storage.not_shared, event.log)))
        if event.kind == "shared" or not event.known:
            return RECHECK  # with its first share, a list is private
        return None

    # How entries travel. Without these, other processes would read each entry from the database.

    def to_group(self, event: TodoEntry) -> Mapping[str, Any]:
        assert event.sent_at is not None
        fields = {name: getattr(event, name) for name in TYPES}
        return {**super().to_group(event), **fields, "sent_at": event.sent_at.isoformat()}

    def parse(self, message: Mapping[str, Any], log: TodoList) -> TodoEntry:
        if any(not isinstance(message.get(name), type) for name, type in TYPES.items()):
            raise MalformedEvent("a key is missing, or of another type")
        fields = {name: message[name] for name in TYPES}
        try:
            fields["sent_at"] = datetime.fromisoformat(message["sent_at"])
        except ValueError:
            raise MalformedEvent("its time is none") from None
        return TodoEntry(log=log, known=message["kind"] in KINDS, **fields)
