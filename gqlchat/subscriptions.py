"""What one can listen to."""

from collections.abc import AsyncGenerator

import strawberry

from chat import greetings
from chat.broker import Hub
from chat.rooms import enter_all
from gqlchat import context
from gqlchat.types import ChatRoom, ChatRoomMessage


@strawberry.type
class Subscription:
    @strawberry.subscription(description="Joins rooms: greets each of them, then yields what is said there.")
    async def join_chat_rooms(
        self, info: strawberry.Info, rooms: list[ChatRoom], user: str
    ) -> AsyncGenerator[ChatRoomMessage, None]:
        person = context.person(info)
        name = greetings.clean_name(user)
        joined = enter_all([room.room_name for room in rooms], person)
        async with Hub.here().listen(joined) as listener:
            greeted = [await greetings.greet(room=room, name=name, person=person) for room in joined]
            for greeting in greeted:
                yield ChatRoomMessage.of(greeting, user)
            own = {greeting.id for greeting in greeted}
            async for event in listener:
                if event.id not in own:  # the room was greeted too, and the listener is in the room
                    yield ChatRoomMessage.of(event, user)
