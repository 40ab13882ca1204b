"""What one can ask."""

import strawberry

from gqlchat import context
from gqlchat.types import Person


@strawberry.type
class Query:
    @strawberry.field(description="Who you are on this site: the same here, in the chat and in subscriptions.")
    async def me(self, info: strawberry.Info) -> Person:
        return Person.of(context.person(info, remember=True))
