"""Reacting to messages."""

import strawberry

from chat.actions import reacting
from chat.domain import rooms
from chat.storage.history import check_offset
from gqlchat.schema import context
from gqlchat.schema.arguments import MESSAGE_OFFSET, ROOM_NAME, Input
from gqlchat.schema.errors import ERROR, Problem, errors_in
from gqlchat.schema.messages import ChatRoomMessage


@strawberry.input(description="The parameters of `react`.")
class ReactInput:
    room_name: str = strawberry.field(description=ROOM_NAME)
    offset: int = strawberry.field(description=MESSAGE_OFFSET)
    emoji: str = strawberry.field(
        description="A single emoji, or else the error `invalid_emoji`. A message has at most 20 different ones; one "
        "more is the error `too_many_reactions`."
    )
    on: bool = strawberry.field(default=True, description="Whether you react with it; false takes that back.")


@strawberry.type(description="The outcome of `react`. Both are null where nobody has ever reacted to the message.")
class ReactPayload:
    entry: ChatRoomMessage | None = strawberry.field(
        default=None,
        description="The REACTION with all reactions to the message; the last one there was, if yours was set already.",
    )
    error: Problem | None = strawberry.field(default=None, description=ERROR)


@strawberry.type
class ReactingMutation:
    @strawberry.mutation(
        description="Reacts to a message with an emoji, or takes that back. Answered once it is stored, which may take "
        "a second: reactions of many people to one message are stored together."
    )
    @errors_in(ReactPayload)
    async def react(self, info: strawberry.Info, input: Input[ReactInput]) -> ReactPayload:
        person = context.person(info)
        room, offset = rooms.enter(input.room_name, person), check_offset(input.offset)
        stored = await reacting.react(room=room, offset=offset, emoji=input.emoji, on=input.on, person=person)
        entry = await stored
        return ReactPayload(entry=ChatRoomMessage.of(entry, person.name) if entry else None)
