"""Posting messages."""

from typing import Annotated

import strawberry

from chat.actions import posting
from chat.domain import rooms
from chat.domain.texts import CLIENT_ID_MAX
from gqlchat.schema import context
from gqlchat.schema.arguments import ROOM_NAME, Input
from gqlchat.schema.errors import ERROR, Problem, errors_in
from gqlchat.schema.messages import ChatRoomMessage
from gqlchat.schema.rooms import ChatRoom

TEXT = (
    "The text, in a small Markdown: docs/protocol.md has its signs. Longer than the site allows, 4,000 characters by "
    "default: the error `message_too_long`."
)
ToRoom = Annotated[ChatRoom, strawberry.argument(description="The room to say it in.")]
Text = Annotated[str, strawberry.argument(description=TEXT)]


@strawberry.input(description="The parameters of `postMessage`.")
class PostMessageInput:
    room_name: str = strawberry.field(description=ROOM_NAME)
    message: str = strawberry.field(description=TEXT)
    client_id: str | None = strawberry.field(
        default=None,
        description=f"An id of your own making, such as a UUID: 1 to {CLIENT_ID_MAX} characters, or else the error "
        "`invalid_client_id`. Sent again with the same one, the message is said once.",
    )
    reply_to: int | None = strawberry.field(
        default=None,
        description="The `offset` of the message in this room that it replies to, and quotes. Where there is none: the "
        "error `no_such_message`.",
    )
    attachment_ids: list[strawberry.ID] | None = strawberry.field(
        default=None,
        description="Files that you have uploaded to this room: see docs/protocol.md. Then `message` may be empty.",
    )


@strawberry.type(description="The outcome of `postMessage`: one of the two is null.")
class PostMessagePayload:
    message: ChatRoomMessage | None = strawberry.field(default=None, description="The message as it is stored.")
    error: Problem | None = strawberry.field(default=None, description=ERROR)


@strawberry.type
class PostingMutation:
    @strawberry.mutation(description="Says something in a room. Returns null once it is stored.")
    async def send_chat_message(self, info: strawberry.Info, room: ToRoom, message: Text) -> None:
        person = context.person(info)
        await posting.post(room=rooms.enter(room.room_name, person), message=message, person=person)

    @strawberry.mutation(
        description="Says something in a room, once however often it is sent with the same `clientId`, and returns it."
    )
    @errors_in(PostMessagePayload)
    async def post_message(self, info: strawberry.Info, input: Input[PostMessageInput]) -> PostMessagePayload:
        person = context.person(info)
        entry = await posting.post(
            room=rooms.enter(input.room_name, person),
            message=input.message,
            person=person,
            client_id=input.client_id,
            reply_to=input.reply_to,
            attachments=input.attachment_ids,
        )
        return PostMessagePayload(message=ChatRoomMessage.of(entry.event, person.name))
