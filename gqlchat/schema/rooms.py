"""Rooms and their history."""

import strawberry

from chat.domain import rooms
from chat.storage import history
from chat.storage.database import in_database
from chat.storage.pages import PAGE_MAX, PAGE_SIZE, PageRequest
from gqlchat.schema import context
from gqlchat.schema.connections import Connection, connection, first_of, number_cursor, size_of, text_cursor
from gqlchat.schema.loaders import loaders
from gqlchat.schema.members import Member, Role
from gqlchat.schema.messages import ChatRoomMessage
from gqlchat.schema.people import Person

FOR_MODERATORS = "For moderators and owners."


@strawberry.input(description="A room, by the name people know it by.")
class ChatRoom:
    room_name: str


@strawberry.type(description="A room and its history.")
class Room:
    name: str

    @strawberry.field(description="Whether only members may enter.")
    async def is_private(self, info: strawberry.Info) -> bool:
        return (await loaders(info).permission.load(self._room)).private

    @strawberry.field(description="What you are here; null if you are no member.")
    async def role(self, info: strawberry.Info) -> Role | None:
        return (await loaders(info).permission.load(self._room)).role

    @strawberry.field(description=f"The first {PAGE_MAX} members, by name; `membersConnection` has them all.")
    async def members(self, info: strawberry.Info) -> list[Member]:
        return [Member.of(*found) for found in await loaders(info).members.load((self._room, PAGE_MAX, None))]

    @strawberry.field(description="The members of the room, by name; cursors are their usernames.")
    async def members_connection(
        self, info: strawberry.Info, first: int = PAGE_SIZE, after: str | None = None
    ) -> Connection[Member]:
        size, _ = size_of(first, None)
        found = await loaders(info).members.load((self._room, size + 1, text_cursor(after)))
        return first_of(size, [(person.name, Member.of(person, role)) for person, role in found], after)

    @strawberry.field(description=f"The last {PAGE_MAX} who were banned; `bansConnection` has all. {FOR_MODERATORS}")
    async def bans(self, info: strawberry.Info) -> list[Person]:
        return [Person.of(person) for _, person in await loaders(info).bans.load((self._room, PAGE_MAX, None))]

    @strawberry.field(description=f"The people who are banned, the last one first. {FOR_MODERATORS}")
    async def bans_connection(
        self, info: strawberry.Info, first: int = PAGE_SIZE, after: str | None = None
    ) -> Connection[Person]:
        size, _ = size_of(first, None)
        found = await loaders(info).bans.load((self._room, size + 1, number_cursor(after)))
        return first_of(size, [(str(number), Person.of(person)) for number, person in found], after)

    @strawberry.field(description="The offset of the last message; 0 if there is none.")
    async def last_offset(self, info: strawberry.Info) -> int:
        return await loaders(info).last_offset.load(self._room)

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
        size, from_end = size_of(first, last)
        page = await loaders(info).page.load(
            PageRequest(
                room=self._room,
                size=size,
                after=None if after is None else history.check_offset(after),
                before=None if before is None else history.check_offset(before),
                from_end=from_end,
            )
        )
        name = context.person(info).name
        return connection(
            [(str(event.offset), ChatRoomMessage.of(event, name)) for event in page.events],
            has_previous_page=page.has_earlier,
            has_next_page=page.has_later,
        )

    @property
    def _room(self) -> rooms.Room:
        return rooms.Room(self.name)


@strawberry.type
class RoomQuery:
    @strawberry.field(description="A room by its name, whether or not anything was ever said there.")
    async def room(self, info: strawberry.Info, name: str) -> Room:
        return Room(name=rooms.enter(name, context.person(info)).name)

    @strawberry.field(description="The rooms where something was said, by name; cursors are names.")
    async def rooms(self, info: strawberry.Info, first: int = PAGE_SIZE, after: str | None = None) -> Connection[Room]:
        person = context.person(info)
        rooms.admit(person)
        size, _ = size_of(first, None)
        last_known = None if after is None else rooms.find(after).name
        found = await in_database(history.names, person=person, size=size + 1, after=last_known)
        return first_of(size, [(name, Room(name=name)) for name in found], after)
