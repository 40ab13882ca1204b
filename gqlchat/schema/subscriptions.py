"""The subscriptions.

These resolvers serve Strawberry's own consumers and tests. This site's consumers run the same requests through
`gqlchat.transport.sharing`, where one execution serves all subscribers of the same.
"""

from collections.abc import AsyncGenerator
from typing import Annotated

import strawberry

from chat.actions import greetings
from chat.delivery.hub import Hub
from chat.domain import people
from chat.domain.events import Kind
from gqlchat.schema import context
from gqlchat.schema.arguments import ROOM_NAME
from gqlchat.schema.messages import ChatRoomMessage
from gqlchat.schema.requests import Request, to_follow, to_join
from gqlchat.schema.rooms import ChatRoom

Kinds = Annotated[
    list[Kind] | None,
    strawberry.argument(
        description="The kinds that you want to hear, beside START_OVER. Without it: MESSAGE, DELETION, NOTICE and "
        "GREETING."
    ),
]


@strawberry.input(description="A room, and how far you have heard it.")
class RoomPosition:
    room_name: str = strawberry.field(description=ROOM_NAME)
    after: int | None = strawberry.field(
        default=None,
        description="The last `offset` that you have heard. Without it, you hear only what comes from now on.",
    )
    after_id: strawberry.ID | None = strawberry.field(
        default=None,
        description="The `id` of the entry at that offset: it tells whether the room's log was set back since.",
    )

    @property
    def given(self) -> tuple[str, int | None, str | None]:
        return self.room_name, self.after, self.after_id


ROOMS = "1 or more, or else the error `no_rooms`. More than the site allows, 50 by default: the error `too_many_rooms`."
JoinedRooms = Annotated[list[ChatRoom], strawberry.argument(description=ROOMS)]
HeardRooms = Annotated[list[RoomPosition], strawberry.argument(description=ROOMS)]
JoinedAs = Annotated[
    str,
    strawberry.argument(
        description=f"The name to greet with and to have as `currentUser`: 1 to {greetings.NAME_MAX} characters, for "
        f"guests {people.NAME_MAX}, or else the error `invalid_name`."
    ),
]
Positions = Annotated[
    list[RoomPosition] | None,
    strawberry.argument(description="How far you have heard some of the `rooms`. Others begin with what comes next."),
]


@strawberry.type
class MessageSubscription:
    @strawberry.subscription(
        description="Joins rooms: greets each of them as `user`, then yields all that comes there. For "
        "rooms in `positions`, entries that you missed come first."
    )
    async def join_chat_rooms(
        self,
        info: strawberry.Info,
        rooms: JoinedRooms,
        user: JoinedAs,
        positions: Positions = None,
        kinds: Kinds = None,
    ) -> AsyncGenerator[ChatRoomMessage, None]:
        names = [room.room_name for room in rooms]
        request = to_join(context.person(info), names, user, [one.given for one in positions or []], kinds)
        async for message in heard(request):
            yield message

    @strawberry.subscription(
        description="The entries of rooms after your positions there, then all that comes, in order and each once."
    )
    async def room_messages(
        self, info: strawberry.Info, rooms: HeardRooms, kinds: Kinds = None
    ) -> AsyncGenerator[ChatRoomMessage, None]:
        request = to_follow(context.person(info), [one.given for one in rooms], kinds)
        async for message in heard(request):
            yield message


async def heard(request: Request) -> AsyncGenerator[ChatRoomMessage, None]:
    async with Hub.here().listen(request.logs, request.after, request.person, request.kinds) as listener:
        greetings = await request.greet()
        for greeting in greetings:
            yield ChatRoomMessage.of(greeting, request.current_user)
        own = {greeting.id for greeting in greetings}
        async for event in listener:
            if event.id not in own:  # the room was greeted too, and the listener is in the room
                yield ChatRoomMessage.of(event, request.current_user)
