"""Mutations of owners and moderators, and deletion by authors."""

from typing import Any

import strawberry

from chat.actions.moderation import carry_out
from chat.domain import rooms
from chat.storage import links, moderation, posting_limits
from chat.storage.posting_limits import SLOW_MODE_MAX
from gqlchat.schema import context
from gqlchat.schema.arguments import MESSAGE_OFFSET, ROOM_NAME, USERNAME, Input
from gqlchat.schema.errors import ERROR, Problem, errors_in
from gqlchat.schema.members import Role
from gqlchat.schema.messages import ChatRoomMessage


@strawberry.input(description="The parameters of `createRoom`.")
class CreateRoomInput:
    name: str = strawberry.field(description=ROOM_NAME)
    private: bool = strawberry.field(default=True, description="Whether only members may enter.")


@strawberry.input(description="The parameters of `deleteMessage`.")
class DeleteMessageInput:
    room_name: str = strawberry.field(description=ROOM_NAME)
    offset: int = strawberry.field(description=MESSAGE_OFFSET)


@strawberry.input(description="The parameters of `setMember`.")
class SetMemberInput:
    room_name: str = strawberry.field(description=ROOM_NAME)
    username: str = strawberry.field(description=USERNAME)
    role: Role = strawberry.field(default=Role.MEMBER, description="The role that the user has from then on.")


@strawberry.input(description="The parameters of `removeMember`.")
class RemoveMemberInput:
    room_name: str = strawberry.field(description=ROOM_NAME)
    username: str = strawberry.field(description=USERNAME)


@strawberry.input(description="The parameters of `ban` and `unban`.")
class BanInput:
    room_name: str = strawberry.field(description=ROOM_NAME)
    person_id: strawberry.ID = strawberry.field(
        description="The `id` of a user or a guest. For `ban`, where there is none: the error `no_such_person`."
    )


@strawberry.input(description="The parameters of `setPrivate`.")
class SetPrivateInput:
    room_name: str = strawberry.field(description=ROOM_NAME)
    private: bool = strawberry.field(description="Whether only members may enter; false opens it to everybody.")


@strawberry.input(description="The parameters of `setReadOnly`.")
class SetReadOnlyInput:
    room_name: str = strawberry.field(description=ROOM_NAME)
    read_only: bool = strawberry.field(
        description="Whether only moderators and owners can write there; false lets everybody write."
    )


@strawberry.input(description="The parameters of `setSlowMode`.")
class SetSlowModeInput:
    room_name: str = strawberry.field(description=ROOM_NAME)
    seconds: int = strawberry.field(
        description=f"0 to {SLOW_MODE_MAX}, or else the error `invalid_slow_mode`; 0 switches it off."
    )


@strawberry.input(description="The parameters of `setLinkPreviews`.")
class SetLinkPreviewsInput:
    room_name: str = strawberry.field(description=ROOM_NAME)
    on: bool = strawberry.field(description="Whether messages from now on show previews.")


@strawberry.type(description="The outcome of a change to a room. Both are null where nothing had to be done.")
class ModerationPayload:
    entry: ChatRoomMessage | None = strawberry.field(
        default=None, description="The entry that everybody in the room hears, a NOTICE or a DELETION."
    )
    error: Problem | None = strawberry.field(default=None, description=ERROR)


@strawberry.type
class ModerationMutation:
    @strawberry.mutation(
        description="Creates a room of which you are the owner. Fails with `room_exists` where anything was ever said "
        "in one of that name. For users."
    )
    async def create_room(self, info: strawberry.Info, input: Input[CreateRoomInput]) -> ModerationPayload:
        return await done(info, moderation.create, input.name, private=input.private)

    @strawberry.mutation(
        description="Deletes the text of a message, everywhere. For its author, moderators and owners."
    )
    async def delete_message(self, info: strawberry.Info, input: Input[DeleteMessageInput]) -> ModerationPayload:
        return await done(info, moderation.delete_message, input.room_name, input.offset)

    @strawberry.mutation(
        description="Adds a user to a room, or gives them another role. For moderators and owners; for owners alone "
        "where it is about moderators and owners."
    )
    async def set_member(self, info: strawberry.Info, input: Input[SetMemberInput]) -> ModerationPayload:
        return await done(info, moderation.set_role, input.room_name, input.username, input.role)

    @strawberry.mutation(
        description="Takes a user off a room's members. For moderators and owners, and for members themselves."
    )
    async def remove_member(self, info: strawberry.Info, input: Input[RemoveMemberInput]) -> ModerationPayload:
        return await done(info, moderation.remove_member, input.room_name, input.username)

    @strawberry.mutation(description="Bans a user or a guest from a room. For moderators and owners.")
    async def ban(self, info: strawberry.Info, input: Input[BanInput]) -> ModerationPayload:
        return await done(info, moderation.ban, input.room_name, input.person_id)

    @strawberry.mutation(description="Lifts a ban. For moderators and owners.")
    async def unban(self, info: strawberry.Info, input: Input[BanInput]) -> ModerationPayload:
        return await done(info, moderation.unban, input.room_name, input.person_id)

    @strawberry.mutation(description="Closes a room to all but its members, or opens it to everybody. For owners.")
    async def set_private(self, info: strawberry.Info, input: Input[SetPrivateInput]) -> ModerationPayload:
        return await done(info, moderation.set_private, input.room_name, input.private)

    @strawberry.mutation(
        description="Has only moderators and owners write in a room, or everybody again. Reacting is left to all. "
        "For owners."
    )
    async def set_read_only(self, info: strawberry.Info, input: Input[SetReadOnlyInput]) -> ModerationPayload:
        return await done(info, posting_limits.set_read_only, input.room_name, input.read_only)

    @strawberry.mutation(
        description="Has so many seconds pass from one message of a person to their next. Moderators and owners are "
        "exempt. For moderators and owners."
    )
    async def set_slow_mode(self, info: strawberry.Info, input: Input[SetSlowModeInput]) -> ModerationPayload:
        return await done(info, posting_limits.set_slow_mode, input.room_name, input.seconds)

    @strawberry.mutation(
        description="Has messages in a room show previews of the pages that they link to, or not, from now on. It is "
        "no entry. For moderators and owners, and for all people of a direct room."
    )
    async def set_link_previews(self, info: strawberry.Info, input: Input[SetLinkPreviewsInput]) -> ModerationPayload:
        return await done(info, links.set_link_previews, input.room_name, input.on)


@errors_in(ModerationPayload)
async def done(info: strawberry.Info, action: Any, room_name: str, *args: Any, **kwargs: Any) -> ModerationPayload:
    """Does it as the person who asks."""
    person = context.person(info)
    entry = await carry_out(action, rooms.enter(room_name, person), *args, by=person, **kwargs)
    return ModerationPayload(entry=ChatRoomMessage.of(entry, person.name) if entry else None)
