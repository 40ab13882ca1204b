"""Ignoring people for oneself."""

import strawberry

from chat.actions import ignoring
from gqlchat.schema import context
from gqlchat.schema.arguments import Input
from gqlchat.schema.errors import ERROR, Problem, errors_in


@strawberry.input(description="The parameters of `ignorePerson`.")
class IgnorePersonInput:
    person_id: strawberry.ID = strawberry.field(
        description="The `id` of a user or a guest. Where there is none: the error `no_such_person`."
    )
    ignored: bool = strawberry.field(default=True, description="Whether you ignore them; false takes that back.")


@strawberry.type(description="The outcome of `ignorePerson`: `error` is null where it went well.")
class IgnorePersonPayload:
    error: Problem | None = strawberry.field(default=None, description=ERROR)


@strawberry.type
class IgnoringMutation:
    @strawberry.mutation(
        description="Ignores a person, for yourself alone, or no longer. Their messages aren't unread for you, and "
        "mention you nowhere. They are still sent to you: your client may fold them."
    )
    @errors_in(IgnorePersonPayload)
    async def ignore_person(self, info: strawberry.Info, input: Input[IgnorePersonInput]) -> IgnorePersonPayload:
        await ignoring.set_ignored(str(input.person_id), input.ignored, person=context.person(info))
        return IgnorePersonPayload()
