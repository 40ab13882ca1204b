"""People, as GraphQL shows them."""

import strawberry

from chat.domain import people
from gqlchat.schema import context


@strawberry.type(description="Who is here: a user of the site or a guest.")
class Person:
    id: strawberry.ID
    name: str
    is_guest: bool
    username: str | None = strawberry.field(description="The name one logs in with; null for guests.")

    @classmethod
    def of(cls, person: people.Person) -> "Person":
        return cls(
            id=strawberry.ID(person.id),
            name=person.name,
            is_guest=person.is_guest,
            username=None if person.is_guest else person.name,
        )


@strawberry.type
class PersonQuery:
    @strawberry.field(description="Who you are on this site: the same here, in the chat and in subscriptions.")
    async def me(self, info: strawberry.Info) -> Person:
        return Person.of(context.person(info, remember=True))
