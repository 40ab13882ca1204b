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

FIELDS = ("text", "by", "target", "subject", "client_id")


class TodoSource(Source[TodoList, TodoEntry]):
    event_type = "todo.entry"

    # Where the logs are read

    async def heads(self, logs: Sequence[TodoList]) -> Mapping[TodoList, Head]:
        return await in_database(storage.heads, logs)

    async def read(self, ranges: Mapping[TodoList, Sequence[Range]]) -> Mapping[TodoList, LogPart]:
        return await in_database(storage.read, ranges)

    # Who may hear them

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
        about = {"kind": event.kind, "previous": event.previous, "sent_at": event.sent_at and event.sent_at.isoformat()}
        return {**super().to_group(event), **about, **{name: getattr(event, name) for name in FIELDS}}

    def parse(self, message: Mapping[str, Any], log: TodoList) -> TodoEntry:
        match message:
            case {"offset": int(offset), "id": str(id), "kind": str(kind), "sent_at": str(sent_at)}:
                fields = {name: message[name] for name in FIELDS if name in message}
                previous, known = message.get("previous"), kind in KINDS
                at = datetime.fromisoformat(sent_at)
                return TodoEntry(
                    log=log, offset=offset, id=id, previous=previous, kind=kind, known=known, sent_at=at, **fields
                )
        raise MalformedEvent("it lacks an offset, an id, a kind or a time")
