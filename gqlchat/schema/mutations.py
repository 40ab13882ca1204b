"""What one can do."""

import strawberry

from chat.actions import posting
from chat.domain import rooms
from chat.errors import ChatError
from gqlchat.schema import context
from gqlchat.schema.moderation import Moderation
from gqlchat.schema.types import ChatRoom, ChatRoomMessage, PostMessageInput, PostMessagePayload, Problem


@strawberry.type
class Mutation(Moderation):
    @strawberry.mutation(description="Says something in a room.")
    async def send_chat_message(self, info: strawberry.Info, room: ChatRoom, message: str) -> None:
        person = context.person(info)
        await posting.post(room=rooms.enter(room.room_name, person), message=message, person=person)

    @strawberry.mutation(
        description="Says something in a room, once however often it is sent, and returns it as stored."
    )
    async def post_message(self, info: strawberry.Info, input: PostMessageInput) -> PostMessagePayload:
        person = context.person(info)
        try:
            room = rooms.enter(input.room_name, person)
            entry = await posting.post(room=room, message=input.message, person=person, client_id=input.client_id)
        except ChatError as error:
            return PostMessagePayload(error=Problem.of(error))
        return PostMessagePayload(message=ChatRoomMessage.of(entry.event, person.name))
