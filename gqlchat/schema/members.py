"""Members of a room, and what each of them is there."""

import strawberry

from chat.domain import people
from chat.models import Role
from gqlchat.schema.people import Person

__all__ = ["Member", "Role"]  # Role from here, because here it becomes a type of the schema

strawberry.enum(Role, name="Role", description="What somebody is in a room; each may do all that those before it may.")


@strawberry.type(description="Somebody who belongs to a room.")
class Member:
    user: Person
    role: Role

    @classmethod
    def of(cls, person: people.Person, role: Role) -> "Member":
        return cls(user=Person.of(person), role=role)
