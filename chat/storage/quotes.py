"""Quotes in replies: the beginnings of messages, read from their rows. So a quote has the text that a message has now.

A reply keeps only the offset of the message that it quotes. Nothing has to be changed when that is edited or deleted.
Of files without a text, the names are quoted.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace

from django.db import connection

from chat.domain.events import Event, Kind, Quote
from chat.domain.files import Attachment, names_of
from chat.domain.people import Person
from chat.domain.rooms import Room
from chat.domain.texts import beginning

PLACES_PER_STATEMENT = 400  # of two values each; not every build of SQLite takes more than a thousand
TEXT_READ = 500  # characters: more than a quote has, unless it begins with blank lines
SELECT_QUOTED = """
    SELECT room.name, message."offset", message.person_id, message.person_name, SUBSTR(message.text, 1, %s),
        CASE WHEN message.text = '' THEN CAST(message.attachments AS text) END
    FROM (VALUES {places}) AS place  -- whose columns are called so by both databases
    JOIN chat_room AS room ON room.name = column1
    JOIN chat_message AS message ON message.room_id = room.id AND message."offset" = column2
    WHERE message.kind = %s AND message.deletion IS NULL
"""

Place = tuple[Room, int]
"""A room, and the offset of a message there."""


def with_quotes(events: Sequence[Event]) -> list[Event]:
    """The same events, whose quotes have author and text. One query for hundreds of replies, none if there are none."""
    quoted = find((event.room, event.reply_to.offset) for event in events if event.reply_to)
    return [with_quote(event, quoted) if event.reply_to else event for event in events]


def with_quote(event: Event, quoted: dict[Place, Quote]) -> Event:
    """A reply that quotes what was found; nothing but the offset, if its message is deleted or no longer kept."""
    assert event.reply_to is not None
    offset = event.reply_to.offset
    return replace(event, reply_to=quoted.get((event.room, offset), Quote(offset)))


def find(places: Iterable[Place]) -> dict[Place, Quote]:
    """Quotes of the messages at `places`, for those where there is one that isn't deleted."""
    distinct = list(dict.fromkeys(places))
    rooms = {room.name: room for room, _ in distinct}
    found = {}
    for first in range(0, len(distinct), PLACES_PER_STATEMENT):
        for name, offset, person_id, person_name, text, files in _read(distinct[first : first + PLACES_PER_STATEMENT]):
            person = Person(id=person_id, name=person_name) if person_id else None
            shown = names_of(Attachment.all_from_json(json.loads(files))) if files else text
            found[rooms[name], offset] = Quote(offset, person, beginning(shown))
    return found


def _read(places: Sequence[Place]) -> list[tuple[str, int, str, str, str, str | None]]:
    statement = SELECT_QUOTED.format(places=", ".join(["(%s, %s)"] * len(places)))
    values = [value for room, offset in places for value in (room.name, offset)]
    with connection.cursor() as cursor:
        cursor.execute(statement, [TEXT_READ, *values, Kind.MESSAGE])
        return list(cursor.fetchall())
