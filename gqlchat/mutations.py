"""What one can do."""

import strawberry

from chat import messages, rooms
from gqlchat import context
from gqlchat.types import ChatRoom


@strawberry.type
class Mutation:
    @strawberry.mutation(description="Says something in a room.")
    async def send_chat_message(self, info: strawberry.Info, room: ChatRoom, message: str) -> None:
        person = context.person(info)
        await messages.post(room=rooms.enter(room.room_name, person), message=message, person=person)
