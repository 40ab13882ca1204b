"""Completion of mentions."""

from typing import Annotated

import strawberry

from chat.actions import completing
from chat.domain import rooms
from chat.domain.texts import is_storable
from gqlchat.schema import context
from gqlchat.schema.arguments import RoomName
from gqlchat.schema.people import Person

Matching = Annotated[
    str, strawberry.argument(description="The beginning of a word of a name, in any case. Empty: anybody.")
]


@strawberry.type
class MentionQuery:
    @strawberry.field(
        description="A few people one of whose names has a word that begins with `matching`. Those who spoke in the "
        "room lately come first, then its members, then users who are there now."
    )
    async def mentionable(self, info: strawberry.Info, room_name: RoomName, matching: Matching = "") -> list[Person]:
        person = context.person(info)
        if not is_storable(matching):
            return []
        room = rooms.enter(room_name, person)
        return [Person.of(one) for one in await completing.complete(room, matching, person=person)]
