"""Edits and reactions of messages that are deleted say nothing any more.

Whoever deletes a message blanks these too (`entries.blank`), but an instance of the release before knows none of them.
"""

from collections.abc import Sequence
from dataclasses import replace

from django.db import connection

from chat.domain.events import Event, Kind
from chat.domain.rooms import Room
from chat.storage.quotes import PLACES_PER_STATEMENT, Place

SELECT_DELETED = """
    SELECT room.name, message."offset"
    FROM (VALUES {places}) AS place  -- whose columns are called so by both databases
    JOIN chat_room AS room ON room.name = column1
    JOIN chat_message AS message ON message.room_id = room.id AND message."offset" = column2
    WHERE message.deletion IS NOT NULL
"""


def without_deleted(events: Sequence[Event]) -> list[Event]:
    """The same events, in which nothing is left of messages that are deleted by now.

    One query for hundreds of edits and reactions, none if there are none.
    """
    changes = {(event.room, event.target or 0) for event in events if _is_change(event)}
    deleted = _deleted(list(changes))
    return [
        replace(event, message="", reactions=(), mentions=(), attachments=(), deleted=True)
        if _is_change(event) and (event.room, event.target or 0) in deleted
        else event
        for event in events
    ]


def _is_change(event: Event) -> bool:
    return event.kind in {Kind.EDIT, Kind.REACTION} and not event.deleted


def _deleted(places: Sequence[Place]) -> set[Place]:
    rooms: dict[str, Room] = {room.name: room for room, _ in places}
    found: set[Place] = set()
    for first in range(0, len(places), PLACES_PER_STATEMENT):
        some = places[first : first + PLACES_PER_STATEMENT]
        statement = SELECT_DELETED.format(places=", ".join(["(%s, %s)"] * len(some)))
        with connection.cursor() as cursor:
            cursor.execute(statement, [value for room, offset in some for value in (room.name, offset)])
            found |= {(rooms[name], offset) for name, offset in cursor.fetchall()}
    return found
