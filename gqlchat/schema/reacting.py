"""Reacting to messages."""

import strawberry

from chat.actions import reacting
from chat.domain import rooms
from chat.storage.history import check_offset
from gqlchat.schema import context
from gqlchat.schema.errors import Problem, errors_in
from gqlchat.schema.messages import ChatRoomMessage


@strawberry.input
class ReactInput:
    room_name: str
    offset: int
    emoji: str
    on: bool = strawberry.field(default=True, description="Whether you react with it; false takes it back.")


@strawberry.type(description="What became of it. Both are null where nobody has ever reacted to the message.")
class ReactPayload:
    entry: ChatRoomMessage | None = strawberry.field(
        default=None,
        description="The REACTION with all reactions to the message; the last one, if yours was set already.",
    )
    error: Problem | None = None


@strawberry.type
class ReactingMutation:
    @strawberry.mutation(
        description="Reacts to a message with an emoji, or takes that back. Answered within a second or so: what many "
        "people react to one message is told at once."
    )
    @errors_in(ReactPayload)
    async def react(self, info: strawberry.Info, input: ReactInput) -> ReactPayload:
        person = context.person(info)
        room, offset = rooms.enter(input.room_name, person), check_offset(input.offset)
        stored = await reacting.react(room=room, offset=offset, emoji=input.emoji, on=input.on, person=person)
        entry = await stored
        return ReactPayload(entry=ChatRoomMessage.of(entry, person.name) if entry else None)
