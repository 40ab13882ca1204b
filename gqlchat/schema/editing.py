"""Editing messages, and the texts that they had before."""

from datetime import datetime

import strawberry

from chat.actions import editing
from chat.domain import rooms
from chat.storage import edits, history
from chat.storage.database import in_database
from gqlchat.schema import context
from gqlchat.schema.arguments import MESSAGE_OFFSET, ROOM_NAME, Input, MessageOffset, RoomName
from gqlchat.schema.errors import ERROR, Problem, errors_in
from gqlchat.schema.messages import ChatRoomMessage


@strawberry.input(description="The parameters of `editMessage`.")
class EditMessageInput:
    room_name: str = strawberry.field(description=ROOM_NAME)
    offset: int = strawberry.field(description=MESSAGE_OFFSET)
    message: str = strawberry.field(
        description="The new text, as in `postMessage`. It may be empty where the message has files; else the error is "
        "`blank_message`."
    )


@strawberry.type(description="The outcome of `editMessage`. Both are null where the message has that text already.")
class EditMessagePayload:
    entry: ChatRoomMessage | None = strawberry.field(
        default=None, description="The EDIT that all hear who ask for that kind."
    )
    error: Problem | None = strawberry.field(default=None, description=ERROR)


@strawberry.type(description="A text that a message has, or had before an edit.")
class MessageVersion:
    message: str = strawberry.field(description="The text.")
    since: datetime | None = strawberry.field(description="The time from which on the message had it.")

    @classmethod
    def of(cls, version: edits.Version) -> "MessageVersion":
        return cls(message=version.text, since=version.since)


@strawberry.type
class EditingMutation:
    @strawberry.mutation(description="Gives a message another text. For its author.")
    @errors_in(EditMessagePayload)
    async def edit_message(self, info: strawberry.Info, input: Input[EditMessageInput]) -> EditMessagePayload:
        person = context.person(info)
        room, offset = rooms.enter(input.room_name, person), history.check_offset(input.offset)
        entry = await editing.edit(room=room, offset=offset, message=input.message, person=person)
        return EditMessagePayload(entry=ChatRoomMessage.of(entry, person.name) if entry else None)


@strawberry.type
class EditingQuery:
    @strawberry.field(
        description=f"The last {edits.VERSIONS_MAX} texts of a message, the one that it has now at the end. For owners."
    )
    async def message_versions(
        self, info: strawberry.Info, room_name: RoomName, offset: MessageOffset
    ) -> list[MessageVersion]:
        person = context.person(info)
        room, offset = rooms.enter(room_name, person), history.check_offset(offset)
        return [MessageVersion.of(one) for one in await in_database(edits.versions, room, offset, by=person)]
