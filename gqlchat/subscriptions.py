"""What one can listen to."""

from collections.abc import AsyncGenerator

import strawberry

from chat import greetings
from chat.broker import Hub
from chat.log import check_offset
from chat.people import Person
from chat.rooms import Room, enter, enter_all
from gqlchat import context
from gqlchat.types import ChatRoom, ChatRoomMessage, RoomPosition


@strawberry.type
class Subscription:
    @strawberry.subscription(description="Joins rooms: greets each of them, then yields what is said there.")
    async def join_chat_rooms(
        self, info: strawberry.Info, rooms: list[ChatRoom], user: str, positions: list[RoomPosition] | None = None
    ) -> AsyncGenerator[ChatRoomMessage, None]:
        person = context.person(info)
        name = greetings.clean_name(user)
        joined = enter_all([room.room_name for room in rooms], person)
        async with Hub.here().listen(joined, heard(positions or [], person)) as listener:
            greeted = [await greetings.greet(room=room, name=name, person=person) for room in joined]
            for greeting in greeted:
                yield ChatRoomMessage.of(greeting, user)
            own = {greeting.id for greeting in greeted}
            async for event in listener:
                if event.id not in own:  # the room was greeted too, and the listener is in the room
                    yield ChatRoomMessage.of(event, user)

    @strawberry.subscription(description="What was said in rooms since one's position, then what is said, each once.")
    async def room_messages(
        self, info: strawberry.Info, rooms: list[RoomPosition]
    ) -> AsyncGenerator[ChatRoomMessage, None]:
        person = context.person(info)
        joined = enter_all([room.room_name for room in rooms], person)
        async with Hub.here().listen(joined, heard(rooms, person)) as listener:
            async for event in listener:
                yield ChatRoomMessage.of(event, person.name)


def heard(positions: list[RoomPosition], person: Person) -> dict[Room, int]:
    """How far each room has been heard, of those where that is said."""
    return {enter(one.room_name, person): check_offset(one.after) for one in positions if one.after is not None}
