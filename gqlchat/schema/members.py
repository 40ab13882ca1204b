"""Members of a room, and what each of them is there."""

import strawberry

from chat.domain import people
from chat.models import Role
from gqlchat.schema import enums
from gqlchat.schema.people import Person

__all__ = ["Member", "Role"]  # Role from here, because here it becomes a type of the schema

enums.describe(
    Role,
    name="Role",
    description="The role of a member in a room. Each may do all that those before it may.",
    values={
        Role.MEMBER: "May enter the room where it is private.",
        Role.MODERATOR: "May delete messages, add and remove members, ban people, and look at reports.",
        Role.OWNER: "May choose moderators and owners, and make the room private or read-only. A room that has an "
        "owner keeps one.",
    },
)


@strawberry.type(description="A user who belongs to a room, and their role there.")
class Member:
    user: Person = strawberry.field(description="The user.")
    role: Role = strawberry.field(description="Their role in the room.")

    @classmethod
    def of(cls, person: people.Person, role: Role) -> "Member":
        return cls(user=Person.of(person), role=role)
