"""Completion of mentions."""

import strawberry

from chat.domain import rooms
from chat.domain.texts import is_storable
from chat.storage import mentions
from chat.storage.database import in_database
from gqlchat.schema import context
from gqlchat.schema.people import Person


@strawberry.type
class MentionQuery:
    @strawberry.field(
        description="People of a room one of whose words begins so, a few: those who spoke lately first, then members."
    )
    async def mentionable(self, info: strawberry.Info, room_name: str, matching: str = "") -> list[Person]:
        person = context.person(info)
        if not is_storable(matching):
            return []
        room = rooms.enter(room_name, person)
        return [Person.of(one) for one in await in_database(mentions.candidates, room, matching, by=person)]
