"""People, as GraphQL shows them, and the profiles of users."""

from collections.abc import Awaitable, Sequence
from typing import Annotated

import strawberry
from django.utils.translation import gettext_lazy as _
from strawberry.dataloader import DataLoader

from chat.actions import profiles as actions
from chat.domain import people, rooms
from chat.domain.profiles import ABOUT_MAX, Profile, ProfileChange
from chat.errors import NoSuchPerson
from chat.per_loop import PerLoop
from chat.storage import ignoring, profiles
from chat.storage.database import in_database
from gqlchat.schema import context
from gqlchat.schema.arguments import Input
from gqlchat.schema.errors import ERROR, Problem, errors_in


class Profiles(PerLoop):
    """Reads the profiles that are asked for in one turn of the event loop in one query.

    They are the same for everybody, so subscriptions that many share have them too. Nothing is kept for later.
    """

    def __init__(self) -> None:
        self._loader: DataLoader[str, Profile | None] = DataLoader(self._read, cache=False)

    async def of(self, person: people.Person) -> Profile:
        """The profile of `person`; an empty one of guests, and where there is none."""
        found = None if person.is_guest else await self._loader.load(person.id)
        return found or Profile(person)

    async def _read(self, person_ids: list[str]) -> Sequence[Profile | None]:
        found = await in_database(profiles.by_ids, set(person_ids))
        return [found.get(id) for id in person_ids]


@strawberry.type(description="A user of the site, or a guest.")
class Person:
    id: strawberry.ID = strawberry.field(description="user-7 for a user, guest-c3715bc2c573f4d2 for a guest.")
    name: str = strawberry.field(
        description="The name that others see: a user's display name, or else the username. In what was said, it is "
        "the name of that time."
    )
    is_guest: bool = strawberry.field(description="Whether they have no account. A guest lasts as long as the session.")
    person: strawberry.Private[people.Person]
    profile: strawberry.Private[Profile | None] = None  # where it was read with the person
    is_me: strawberry.Private[bool] = False
    """Whether this is `me`. Fields for one person alone are read for nobody else, nor in events that many share."""

    @strawberry.field(graphql_type=str | None, description="The name with which they log in; null for guests.")
    def username(self) -> str | None | Awaitable[str | None]:
        return self.person.username if self.is_guest or self.person.username else self._username()

    @strawberry.field(
        description="The name that they have chosen for others to see; null where that is the username, and for guests."
    )
    async def display_name(self) -> str | None:
        return (await self._profile()).display_name or None

    @strawberry.field(description="A line in which they tell of themselves; null where they don't.")
    async def about(self) -> str | None:
        return (await self._profile()).about or None

    @strawberry.field(description="Their time zone by its IANA name, as Europe/Berlin; null where they don't tell it.")
    async def time_zone(self) -> str | None:
        return (await self._profile()).time_zone or None

    @strawberry.field(
        description="The address of their picture, a square WebP, as a path of this site; null where they have none. "
        "Another picture has another address."
    )
    async def avatar(self) -> str | None:
        return (await self._profile()).avatar_path

    @strawberry.field(description="The people whom you ignore, the last one first. Null for anybody but `me`.")
    async def ignored(self, info: strawberry.Info) -> "list[Person] | None":
        if not self.is_me:
            return None
        return [Person.of(one) for one in await in_database(ignoring.ignored, context.person(info))]

    async def _username(self) -> str | None:
        return (await self._profile()).person.username

    async def _profile(self) -> Profile:
        return self.profile or await Profiles.here().of(self.person)

    @classmethod
    def of(cls, person: people.Person, profile: Profile | None = None) -> "Person":
        id = strawberry.ID(person.id)
        return cls(id=id, name=person.name, is_guest=person.is_guest, person=person, profile=profile)


@strawberry.input(description="Changes to your profile. Fields that are left out, or null, stay as they are.")
class UpdateProfileInput:
    display_name: str | None = strawberry.field(
        default=None,
        description=f"Up to {people.NAME_MAX} characters, and nothing that looks like somebody else's name; empty for "
        "your username.",
    )
    about: str | None = strawberry.field(default=None, description=f"A line of up to {ABOUT_MAX} characters, or empty.")
    time_zone: str | None = strawberry.field(default=None, description="An IANA name, as Europe/Berlin, or empty.")


@strawberry.type(description="The outcome of `updateProfile`: one of the two is null.")
class UpdateProfilePayload:
    person: Person | None = strawberry.field(default=None, description="You, as you are now.")
    error: Problem | None = strawberry.field(default=None, description=ERROR)


Username = Annotated[
    str | None, strawberry.argument(description="The name with which the user logs in; takes precedence over `id`.")
]
PersonId = Annotated[
    strawberry.ID | None,
    strawberry.argument(description="The `id` of a Person. With neither of the two: the error `no_such_person`."),
]


@strawberry.type
class PersonQuery:
    @strawberry.field(
        description="You, as the chat's pages and subscriptions know you, too. A new guest is given a name and a "
        "session."
    )
    async def me(self, info: strawberry.Info) -> Person:
        me = Person.of(context.person(info, remember=True))
        me.is_me = True
        return me

    @strawberry.field(
        description="A user, by the username or else by the `id`. Null where there is none, and for guests, who have "
        "no profile."
    )
    async def person(self, info: strawberry.Info, username: Username = None, id: PersonId = None) -> Person | None:
        rooms.admit(context.person(info))
        if username is not None:
            found = await in_database(profiles.by_username, username)
        elif id is not None:
            found = await in_database(profiles.by_id, id)
        else:
            raise NoSuchPerson(_("Name a person by `username` or by `id`."))
        return Person.of(found.person, found) if found else None


@strawberry.type
class PersonMutation:
    @strawberry.mutation(
        description="Changes what others see of you. A new name holds for what you say from then on, on all of your "
        "connections. For users."
    )
    @errors_in(UpdateProfilePayload)
    async def update_profile(self, info: strawberry.Info, input: Input[UpdateProfileInput]) -> UpdateProfilePayload:
        change = ProfileChange.clean(display_name=input.display_name, about=input.about, time_zone=input.time_zone)
        profile = await actions.update(change, by=context.person(info))
        return UpdateProfilePayload(person=Person.of(profile.person, profile))
