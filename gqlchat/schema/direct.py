"""Direct rooms: opening one."""

import strawberry

from chat.actions import direct
from chat.storage.direct_rooms import PEOPLE_MAX
from gqlchat.schema import context
from gqlchat.schema.arguments import Input
from gqlchat.schema.errors import ERROR, Problem, errors_in
from gqlchat.schema.rooms import Room


@strawberry.input(description="The parameters of `openDirect`.")
class OpenDirectInput:
    usernames: list[str] = strawberry.field(
        description=f"The usernames of 1 to {PEOPLE_MAX - 1} others, or else the error `invalid_people`; your own may "
        "be among them. One that nobody has: the error `no_such_person`."
    )


@strawberry.type(description="The outcome of `openDirect`: one of the two is null.")
class OpenDirectPayload:
    room: Room | None = strawberry.field(default=None, description="The direct room; it may have been there before.")
    error: Problem | None = strawberry.field(default=None, description=ERROR)


@strawberry.type
class DirectMutation:
    @strawberry.mutation(
        description="Finds the direct room of you and these users, or makes it: the same people have one. For users."
    )
    @errors_in(OpenDirectPayload)
    async def open_direct(self, info: strawberry.Info, input: Input[OpenDirectInput]) -> OpenDirectPayload:
        room = await direct.open_room(input.usernames, by=context.person(info))
        return OpenDirectPayload(room=Room(name=room.name))
