"""Rooms and their history."""

from enum import Enum
from typing import Annotated

import strawberry

from chat.delivery.rooms.look import presence_of
from chat.domain import people, rooms
from chat.models import Involvement
from chat.storage import direct_rooms, directory, history, permissions
from chat.storage.database import in_database
from chat.storage.own_rooms import UNREAD_MAX, OwnRoom
from chat.storage.pages import PAGE_MAX, PAGE_SIZE, PageRequest
from chat.storage.permissions import Permission
from gqlchat.schema import context, enums
from gqlchat.schema.arguments import ROOM_NAME, RoomName
from gqlchat.schema.connections import (
    After,
    Connection,
    First,
    connection,
    first_of,
    number_cursor,
    size_of,
    text_cursor,
)
from gqlchat.schema.loaders import loaders
from gqlchat.schema.members import Member, Role
from gqlchat.schema.messages import ChatRoomMessage
from gqlchat.schema.people import Person
from gqlchat.schema.presence import RoomPresence
from gqlchat.schema.reports import Report

FOR_MODERATORS = "For moderators and owners."
FOR_MODERATORS_ELSE_NULL = f"{FOR_MODERATORS} For others it is null, beside the error `not_allowed`."


enums.describe(
    Involvement,
    name="Involvement",
    description="The messages that you want to be told of in a room. The server counts all the same; clients look at "
    "it.",
    values={
        Involvement.ALL: "All messages.",
        Involvement.MENTIONS: "Messages that mention you, or everybody in the room.",
        Involvement.NOTHING: "None: the room is muted.",
    },
)


@strawberry.enum(description="The order of a list of rooms.")
class RoomOrder(Enum):
    NAME = strawberry.enum_value("name", description="By their names.")
    ACTIVITY = strawberry.enum_value("activity", description="The last active one first.")


@strawberry.input(description="A room, by its name.")
class ChatRoom:
    room_name: str = strawberry.field(description=ROOM_NAME)


SOME_ENTRIES = f"1 to {PAGE_MAX}, or else the error `invalid_page`, as where both `first` and `last` are given."
ENTRIES_ONLY = "this `offset`; for what is none: the error `invalid_position`."
FirstEntries = Annotated[int | None, strawberry.argument(description=f"How many from the beginning: {SOME_ENTRIES}")]
LastEntries = Annotated[int | None, strawberry.argument(description=f"How many from the end: {SOME_ENTRIES}")]
AfterOffset = Annotated[str | None, strawberry.argument(description=f"Only entries after {ENTRIES_ONLY}")]
BeforeOffset = Annotated[str | None, strawberry.argument(description=f"Only entries before {ENTRIES_ONLY}")]


@strawberry.type(description="A room and its history.")
class Room:
    name: str = strawberry.field(description="The name by which mutations and subscriptions take it.")
    own: strawberry.Private[OwnRoom | None] = None  # where it was read with the room

    @strawberry.field(description="Whether only members may enter. A room is public unless somebody makes it private.")
    async def is_private(self, info: strawberry.Info) -> bool:
        return (await loaders(info).permission.load(self._room)).private

    @strawberry.field(description="Whether only moderators and owners can write here.")
    async def read_only(self, info: strawberry.Info) -> bool:
        return (await self._entered(info)).read_only

    @strawberry.field(
        description="How many seconds have to pass from one message of a person to their next; 0 where there is no "
        "slow mode. Moderators and owners are exempt."
    )
    async def slow_mode(self, info: strawberry.Info) -> int:
        return (await self._entered(info)).slow_mode

    @strawberry.field(description="Whether messages here show previews of the pages that they link to.")
    async def link_previews(self, info: strawberry.Info) -> bool:
        return (await self._entered(info)).link_previews

    @strawberry.field(description="Your role here; null if you are no member.")
    async def role(self, info: strawberry.Info) -> Role | None:
        return (await loaders(info).permission.load(self._room)).role

    @strawberry.field(description=f"The first {PAGE_MAX} members, by name; `membersConnection` has them all.")
    async def members(self, info: strawberry.Info) -> list[Member]:
        return [Member.of(*found) for found in await loaders(info).members.load((self._room, PAGE_MAX, None))]

    @strawberry.field(description="The members, by name; cursors are their usernames.")
    async def members_connection(
        self, info: strawberry.Info, first: First = PAGE_SIZE, after: After = None
    ) -> Connection[Member]:
        size, _ = size_of(first, None)
        found = await loaders(info).members.load((self._room, size + 1, text_cursor(after)))
        return first_of(size, [(person.username or "", Member.of(person, role)) for person, role in found], after)

    @strawberry.field(description=f"The last {PAGE_MAX} who were banned; `bansConnection` has all. {FOR_MODERATORS}")
    async def bans(self, info: strawberry.Info) -> list[Person]:
        return [Person.of(person) for _, person in await loaders(info).bans.load((self._room, PAGE_MAX, None))]

    @strawberry.field(description=f"The people who are banned, the last one first. {FOR_MODERATORS}")
    async def bans_connection(
        self, info: strawberry.Info, first: First = PAGE_SIZE, after: After = None
    ) -> Connection[Person]:
        size, _ = size_of(first, None)
        found = await loaders(info).bans.load((self._room, size + 1, number_cursor(after)))
        return first_of(size, [(str(number), Person.of(person)) for number, person in found], after)

    @strawberry.field(description=f"The reports of messages here, the last one first. {FOR_MODERATORS_ELSE_NULL}")
    async def reports(
        self, info: strawberry.Info, first: First = PAGE_SIZE, after: After = None
    ) -> Connection[Report] | None:
        size, _ = size_of(first, None)
        found = await loaders(info).reports.load((self._room, size + 1, number_cursor(after)))
        name = context.person(info).name
        return first_of(size, [(str(report.number), Report.of(report, name)) for report in found], after)

    @strawberry.field(description=f"How many messages are reported here. {FOR_MODERATORS_ELSE_NULL}")
    async def open_reports(self, info: strawberry.Info) -> int | None:
        return await loaders(info).open_reports.load(self._room)

    @strawberry.field(description="The people who are there now. To ask doesn't make you be there.")
    async def presence(self, info: strawberry.Info) -> RoomPresence:
        return RoomPresence.of(await presence_of(self._room, context.person(info)))

    @strawberry.field(description="The offset of the last entry of the room's log; 0 where nothing was ever said.")
    async def last_offset(self, info: strawberry.Info) -> int:
        return await loaders(info).last_offset.load(self._room)

    @strawberry.field(
        description="A part of the room's history, the oldest entry first: messages as they are now, deletions and "
        "notices. Cursors are offsets. With neither `first` nor `last`, it is the last 50."
    )
    async def messages(
        self,
        info: strawberry.Info,
        first: FirstEntries = None,
        after: AfterOffset = None,
        last: LastEntries = None,
        before: BeforeOffset = None,
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
            [(str(event.offset), ChatRoomMessage.of(event, name, of_history=True)) for event in page.events],
            has_previous_page=page.has_earlier,
            has_next_page=page.has_later,
        )

    @strawberry.field(description="Whether it is the direct room of some users, who stay the same.")
    async def is_direct(self) -> bool:
        return self._room.is_direct

    @strawberry.field(
        description="The name to show you: of a direct room, the names of the others; of any other room, its `name`."
    )
    async def display_name(self, info: strawberry.Info) -> str:
        if not self._room.is_direct:
            return self.name
        others = self.own.others if self.own else await loaders(info).direct_others.load(self._room)
        with context.in_language_of(info.context):
            return direct_rooms.display_name(self._room, others)

    @strawberry.field(
        description=f"How many messages of others you haven't read; {UNREAD_MAX} stands for as many or more. "
        "Null unless the room is one of `myRooms`."
    )
    async def unread(self, info: strawberry.Info) -> int | None:
        own = await self._own(info)
        return own.unread if own else None

    @strawberry.field(
        description="How many of those mention you, or everybody in the room. Null unless the room is one of `myRooms`."
    )
    async def mentions_unread(self, info: strawberry.Info) -> int | None:
        own = await self._own(info)
        return own.mentions_unread if own else None

    @strawberry.field(description="The last `offset` that you have read. Null unless the room is one of `myRooms`.")
    async def read_offset(self, info: strawberry.Info) -> int | None:
        own = await self._own(info)
        return own.read_offset if own else None

    @strawberry.field(description="The messages that you want to be told of. Null unless the room is one of `myRooms`.")
    async def involvement(self, info: strawberry.Info) -> Involvement | None:
        own = await self._own(info)
        return own.involvement if own else None

    @strawberry.field(
        description="The last message that isn't deleted; null where there is none among the last 1,000 entries."
    )
    async def last_message(self, info: strawberry.Info) -> ChatRoomMessage | None:
        event = await loaders(info).last_message.load(self._room)
        return ChatRoomMessage.of(event, context.person(info).name, of_history=True) if event else None

    async def _entered(self, info: strawberry.Info) -> Permission:
        """The permissions of the person here. Raises Banned or NotAMember."""
        permission = await loaders(info).permission.load(self._room)
        if problem := permissions.problem_with(self._room, permission):
            raise problem
        return permission

    async def _own(self, info: strawberry.Info) -> OwnRoom | None:
        return self.own or await loaders(info).own_room.load(self._room)

    @property
    def _room(self) -> rooms.Room:
        return rooms.Room(self.name)


@strawberry.type
class RoomQuery:
    @strawberry.field(
        description="A room by its name, whether or not anything was ever said there. Of a room that you may not "
        "enter, most fields are the error `not_a_member` or `banned`."
    )
    async def room(self, info: strawberry.Info, name: RoomName) -> Room:
        return Room(name=rooms.enter(name, context.person(info)).name)

    @strawberry.field(
        description="The rooms in which something was ever said, private ones to their members only, and no direct "
        "ones. A cursor belongs to the order that it came with."
    )
    async def rooms(
        self,
        info: strawberry.Info,
        first: First = PAGE_SIZE,
        after: Annotated[
            str | None,
            strawberry.argument(
                description="The `endCursor` of the part before this one. By NAME it is a room's name, or else the "
                "error `invalid_room_name`; for what is no cursor by ACTIVITY, it is `invalid_page`."
            ),
        ] = None,
        matching: Annotated[
            str | None,
            strawberry.argument(description="A part of the rooms' names, in any case. Without it: all rooms."),
        ] = None,
        order: Annotated[
            RoomOrder | None,
            strawberry.argument(
                description="The order of the rooms. Without it: by NAME, or by ACTIVITY where `matching` is given."
            ),
        ] = None,
    ) -> Connection[Room]:
        person = context.person(info)
        rooms.admit(person)
        person.require_all_rooms()
        size, _ = size_of(first, None)
        if order is RoomOrder.ACTIVITY or (order is None and matching is not None):
            return await by_activity(person, size, after, matching or "")
        last_known = None if after is None else rooms.find(after).name
        found = await in_database(
            history.names, person=person, size=size + 1, after=last_known, matching=matching or ""
        )
        return first_of(size, [(name, Room(name=name)) for name in found], after)


async def by_activity(person: people.Person, size: int, after: str | None, matching: str) -> Connection[Room]:
    place = None if after is None else directory.Place.at(after)
    found = await in_database(directory.listed, person=person, size=size + 1, after=place, matching=matching)
    return first_of(size, [(one.place.cursor, Room(name=one.room.name)) for one in found], after)
