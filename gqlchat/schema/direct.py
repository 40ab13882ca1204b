"""Direct rooms: opening one."""

import strawberry

from chat.actions import direct
from chat.storage.direct_rooms import PEOPLE_MAX
from gqlchat.schema import context
from gqlchat.schema.errors import Problem, errors_in
from gqlchat.schema.rooms import Room


@strawberry.input
class OpenDirectInput:
    usernames: list[str] = strawberry.field(
        description=f"The usernames of 1 to {PEOPLE_MAX - 1} others; your own may be among them."
    )


@strawberry.type(description="The outcome of `openDirect`: one of the two is null.")
class OpenDirectPayload:
    room: Room | None = None
    error: Problem | None = None


@strawberry.type
class DirectMutation:
    @strawberry.mutation(
        description="Finds the direct room of you and these users, or makes it: the same people have one. For users."
    )
    @errors_in(OpenDirectPayload)
    async def open_direct(self, info: strawberry.Info, input: OpenDirectInput) -> OpenDirectPayload:
        room = await direct.open_room(input.usernames, by=context.person(info))
        return OpenDirectPayload(room=Room(name=room.name))
