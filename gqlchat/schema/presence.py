"""The people who are in a room, and those who are typing there."""

from collections.abc import AsyncGenerator
from typing import Annotated

import strawberry
from django.utils.translation import gettext_lazy as _

from chat.actions import typing
from chat.delivery.rooms.look import look
from chat.domain import people, presence, rooms
from chat.domain.presence import PEOPLE_MAX, LiveKind
from chat.errors import InvalidPage
from gqlchat.schema import context
from gqlchat.schema.arguments import ROOM_NAME, Input, RoomName
from gqlchat.schema.errors import ERROR, Problem, errors_in
from gqlchat.schema.people import Person
from gqlchat.schema.requests import to_look

FirstPeople = Annotated[
    int, strawberry.argument(description=f"How many at most: 1 to {PEOPLE_MAX}, or else the error `invalid_page`.")
]


@strawberry.type(
    description="The people who are in a room: with its page open, or listening to it. Each counts once, however many "
    "tabs and connections they have."
)
class RoomPresence:
    count: int = strawberry.field(description="How many they are, all together.")
    complete: bool = strawberry.field(
        description="False while this server can't tell which people are there through other servers."
    )
    known: strawberry.Private[tuple[people.Person, ...]]

    @strawberry.field(description=f"The first of them by name, {PEOPLE_MAX} at most.")
    def people(self, first: FirstPeople = PEOPLE_MAX) -> list[Person]:
        if not 0 < first <= PEOPLE_MAX:
            raise InvalidPage(_("Ask for 1 to {most} at a time."), most=PEOPLE_MAX)
        return [Person.of(person) for person in self.known[:first]]

    @classmethod
    def of(cls, state: presence.Presence) -> "RoomPresence":
        return cls(count=state.count, complete=state.complete, known=state.people)


@strawberry.type(description="The people who are typing in a room, the first of them first.")
class RoomTyping:
    people: list[Person] = strawberry.field(description="Empty where nobody is typing any more.")

    @classmethod
    def of(cls, state: presence.Typing) -> "RoomTyping":
        return cls(people=[Person.of(person) for person in state.people])


@strawberry.input(description="The parameters of `setTyping`.")
class SetTypingInput:
    room_name: str = strawberry.field(description=ROOM_NAME)
    typing: bool = strawberry.field(description="Whether you are typing; false where you aren't any more.")


@strawberry.type(description="The outcome of `setTyping`: `error` is null where it went well.")
class SetTypingPayload:
    error: Problem | None = strawberry.field(default=None, description=ERROR)


@strawberry.type
class PresenceMutation:
    @strawberry.mutation(
        description="Tells a room that you are typing, or not any more. Say it again every 3 seconds while you are: "
        "it lasts for 6, and ends with your message."
    )
    @errors_in(SetTypingPayload)
    async def set_typing(self, info: strawberry.Info, input: Input[SetTypingInput]) -> SetTypingPayload:
        person = context.person(info)
        room = rooms.enter(input.room_name, person)
        await typing.set_typing(room=room, person=person, is_typing=input.typing)
        return SetTypingPayload()


@strawberry.type
class PresenceSubscription:
    @strawberry.subscription(
        description="The people who are in a room, now and after each change; once a second at most. To listen to it "
        "doesn't make you be there."
    )
    async def room_presence(self, info: strawberry.Info, room_name: RoomName) -> AsyncGenerator[RoomPresence, None]:
        request = to_look(context.person(info), room_name, LiveKind.PRESENCE)
        async with look(request.logs[0], LiveKind.PRESENCE, request.person) as states:
            async for state in states:
                if isinstance(state, presence.Presence):
                    yield RoomPresence.of(state)

    @strawberry.subscription(
        description="The people who are typing in a room, after each change; once a second at most."
    )
    async def room_typing(self, info: strawberry.Info, room_name: RoomName) -> AsyncGenerator[RoomTyping, None]:
        request = to_look(context.person(info), room_name, LiveKind.TYPING)
        async with look(request.logs[0], LiveKind.TYPING, request.person) as states:
            async for state in states:
                if isinstance(state, presence.Typing):
                    yield RoomTyping.of(state)
