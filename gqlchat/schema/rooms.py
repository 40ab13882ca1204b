"""Rooms and their history."""

import strawberry

from chat.domain import rooms
from chat.storage import history, permissions
from chat.storage.database import in_database
from chat.storage.permissions import Permission
from gqlchat.schema import context
from gqlchat.schema.connections import Connection, connection, size_of
from gqlchat.schema.members import Member, Role
from gqlchat.schema.messages import ChatRoomMessage
from gqlchat.schema.people import Person


@strawberry.input(description="A room, by the name people know it by.")
class ChatRoom:
    room_name: str


@strawberry.type(description="A room and its history.")
class Room:
    name: str

    @strawberry.field(description="Whether only members may enter.")
    async def is_private(self, info: strawberry.Info) -> bool:
        return (await self._permission(info)).private

    @strawberry.field(description="What you are here; null if you are no member.")
    async def role(self, info: strawberry.Info) -> Role | None:
        return (await self._permission(info)).role

    @strawberry.field(description="Who belongs to the room, by name.")
    async def members(self, info: strawberry.Info) -> list[Member]:
        found = await in_database(permissions.members, rooms.find(self.name), person=context.person(info))
        return [Member(user=Person.of(person), role=role) for person, role in found]

    @strawberry.field(description="Who is banned. For moderators and owners.")
    async def bans(self, info: strawberry.Info) -> list[Person]:
        found = await in_database(permissions.bans, rooms.find(self.name), person=context.person(info))
        return [Person.of(person) for person in found]

    async def _permission(self, info: strawberry.Info) -> Permission:
        return await in_database(permissions.permission, rooms.find(self.name), context.person(info))

    @strawberry.field(description="The offset of the last message; 0 if there is none.")
    async def last_offset(self, info: strawberry.Info) -> int:
        return await in_database(history.last_offset, rooms.find(self.name), person=context.person(info))

    @strawberry.field(
        description="A part of the history, in its order; cursors are offsets. Without sizes: the end of it."
    )
    async def messages(
        self,
        info: strawberry.Info,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> Connection[ChatRoomMessage]:
        person = context.person(info)
        size, from_end = size_of(first, last)
        page = await in_database(
            history.page,
            rooms.find(self.name),
            person=person,
            size=size,
            after=None if after is None else history.check_offset(after),
            before=None if before is None else history.check_offset(before),
            from_end=from_end,
        )
        return connection(
            [(str(event.offset), ChatRoomMessage.of(event, person.name)) for event in page.events],
            has_previous_page=page.has_earlier,
            has_next_page=page.has_later,
        )


@strawberry.type
class RoomQuery:
    @strawberry.field(description="A room by its name, whether or not anything was ever said there.")
    async def room(self, info: strawberry.Info, name: str) -> Room:
        return Room(name=rooms.enter(name, context.person(info)).name)

    @strawberry.field(description="The rooms where something was said, by name; cursors are names.")
    async def rooms(
        self, info: strawberry.Info, first: int = history.PAGE_SIZE, after: str | None = None
    ) -> Connection[Room]:
        person = context.person(info)
        rooms.admit(person)
        size, _ = size_of(first, None)
        last_known = None if after is None else rooms.find(after).name
        found = await in_database(history.names, person=person, size=size + 1, after=last_known)
        return connection(
            [(name, Room(name=name)) for name in found[:size]],
            has_previous_page=after is not None,
            has_next_page=len(found) > size,
        )
