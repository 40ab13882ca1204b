"""Ignoring people for oneself."""

import strawberry

from chat.actions import ignoring
from gqlchat.schema import context
from gqlchat.schema.errors import Problem, errors_in


@strawberry.input
class IgnorePersonInput:
    person_id: strawberry.ID = strawberry.field(description="The `id` of a user or a guest.")
    ignored: bool = True


@strawberry.type(description="What became of it; null where it went well.")
class IgnorePersonPayload:
    error: Problem | None = None


@strawberry.type
class IgnoringMutation:
    @strawberry.mutation(
        description="Ignores somebody, for yourself alone, or no longer: what they say isn't unread for you, and calls "
        "you nowhere. It is still sent to you: your client folds it."
    )
    @errors_in(IgnorePersonPayload)
    async def ignore_person(self, info: strawberry.Info, input: IgnorePersonInput) -> IgnorePersonPayload:
        await ignoring.set_ignored(str(input.person_id), input.ignored, person=context.person(info))
        return IgnorePersonPayload()
