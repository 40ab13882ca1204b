"""A person's own rooms: those that they have entered or belong to, and have not left."""

import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any

import strawberry

from chat.actions import notifying, reading
from chat.delivery.rooms import own_rooms as following
from chat.domain import rooms
from chat.domain.cursors import cursor, read_cursor
from chat.models import Involvement
from chat.storage import direct_rooms, own_rooms
from chat.storage.database import in_database
from chat.storage.pages import PAGE_SIZE
from gqlchat.schema import context
from gqlchat.schema.arguments import ROOM_NAME, Input
from gqlchat.schema.connections import After, Connection, First, first_of, size_of
from gqlchat.schema.errors import ERROR, Problem, errors_in
from gqlchat.schema.rooms import Room


@strawberry.input(description="The parameters of `markRead` and `markUnread`.")
class MarkInput:
    room_name: str = strawberry.field(description=ROOM_NAME)
    offset: int = strawberry.field(description="An `offset` in the room's log.")


@strawberry.input(description="The parameters of `setInvolvement`.")
class SetInvolvementInput:
    room_name: str = strawberry.field(description=ROOM_NAME)
    involvement: Involvement = strawberry.field(description="The messages that you want to be told of from now on.")


@strawberry.input(description="The parameters of `setPush`.")
class SetPushInput:
    room_name: str = strawberry.field(description=ROOM_NAME)
    every_message: bool = strawberry.field(
        description="Whether you are told of every message; false leaves it at mentions."
    )


@strawberry.input(description="The parameters of `leaveRoom`.")
class LeaveRoomInput:
    room_name: str = strawberry.field(description=ROOM_NAME)


@strawberry.type(description="The outcome of a change to your rooms: `error` is null where it went well.")
class MyRoomsPayload:
    error: Problem | None = strawberry.field(default=None, description=ERROR)


@strawberry.type(description="One of your rooms, after a change.")
class MyRoomChange:
    name: str = strawberry.field(description="The room's name, as `name` of Room.")
    display_name: str = strawberry.field(description="The name to show you, as `displayName` of Room.")
    unread: int = strawberry.field(
        description=f"How many messages of others you haven't read; {own_rooms.UNREAD_MAX} stands for as many or more."
    )
    mentions_unread: int = strawberry.field(description="How many of those mention you, or everybody in the room.")
    read_offset: int | None = strawberry.field(description="The last `offset` that you have read; null if you left.")
    involvement: Involvement | None = strawberry.field(
        description="The messages that you want to be told of; null if you left."
    )
    left: bool = strawberry.field(description="Whether the room is no longer one of yours.")

    @classmethod
    def of(cls, change: following.Change) -> "MyRoomChange":
        """To be called while the person's language is active: the name of a direct room may have words in it."""
        room, own = change
        return cls(
            name=room.name,
            display_name=own.display_name if own else direct_rooms.display_name(room, ()),
            unread=own.unread if own else 0,
            mentions_unread=own.mentions_unread if own else 0,
            read_offset=own.read_offset if own else None,
            involvement=own.involvement if own else None,
            left=own is None,
        )


@strawberry.type
class MyRoomsQuery:
    @strawberry.field(
        description="Your rooms, the last active one first: those that you have entered or belong to, and have not "
        "left."
    )
    async def my_rooms(self, info: strawberry.Info, first: First = PAGE_SIZE, after: After = None) -> Connection[Room]:
        person = context.person(info)
        rooms.admit(person)
        person.require_all_rooms()
        size, _ = size_of(first, None)
        place = None if after is None else read_cursor(after)
        found = await in_database(own_rooms.own_rooms, person, size=size + 1, after=place)
        nodes = [(cursor(own.active_at, own.room.name), Room(name=own.room.name, own=own)) for own in found]
        return first_of(size, nodes, after)


@strawberry.type
class MyRoomsMutation:
    @strawberry.mutation(description="Notes that you have read a room up to this offset. That moves forwards only.")
    async def mark_read(self, info: strawberry.Info, input: Input[MarkInput]) -> MyRoomsPayload:
        return await done(info, reading.mark_read, input.room_name, input.offset)

    @strawberry.mutation(description="Has the messages from this offset on be unread again.")
    async def mark_unread(self, info: strawberry.Info, input: Input[MarkInput]) -> MyRoomsPayload:
        return await done(info, reading.mark_unread, input.room_name, input.offset)

    @strawberry.mutation(description="Notes that you have read all that was said so far in all of your rooms.")
    @errors_in(MyRoomsPayload)
    async def mark_all_read(self, info: strawberry.Info) -> MyRoomsPayload:
        await reading.mark_all_read(person=context.person(info))
        return MyRoomsPayload()

    @strawberry.mutation(
        description="Sets which messages you want to be told of in a room, and makes the room one of yours."
    )
    async def set_involvement(self, info: strawberry.Info, input: Input[SetInvolvementInput]) -> MyRoomsPayload:
        return await done(info, reading.set_involvement, input.room_name, input.involvement)

    @strawberry.mutation(
        description="Sets whether your devices are told of every message in a room, or of mentions alone, and makes "
        "the room one of yours. It takes an account."
    )
    async def set_push(self, info: strawberry.Info, input: Input[SetPushInput]) -> MyRoomsPayload:
        return await done(info, notifying.set_push_all, input.room_name, input.every_message)

    @strawberry.mutation(description="Takes a room off yours, and ends your membership there, if you are a member.")
    async def leave_room(self, info: strawberry.Info, input: Input[LeaveRoomInput]) -> MyRoomsPayload:
        return await done(info, reading.leave, input.room_name)


@errors_in(MyRoomsPayload)
async def done(info: strawberry.Info, action: Callable[..., Awaitable[None]], name: str, *args: Any) -> MyRoomsPayload:
    """Does it as the person who asks."""
    person = context.person(info)
    await action(rooms.enter(name, person), *args, person=person)
    return MyRoomsPayload()


@strawberry.type
class MyRoomsSubscription:
    @strawberry.subscription(
        description=f"Your rooms as they change, the {own_rooms.ROOMS_MAX} that were active last, each once a second "
        "at most. Subscribe first, then ask for `myRooms`. An execution is for you alone, and not shared with others."
    )
    async def my_room_changes(self, info: strawberry.Info) -> AsyncGenerator[MyRoomChange, None]:
        person = context.person(info)
        rooms.admit(person)
        person.require_all_rooms()
        async with contextlib.aclosing(following.follow(person)) as changes:
            await anext(changes)  # as they are: `myRooms` has that
            async for some in changes:
                for change in some:
                    with context.in_language_of(info.context):
                        shown = MyRoomChange.of(change)
                    yield shown
