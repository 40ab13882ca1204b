"""GraphQL types, made from what the domain has."""

from datetime import datetime

import strawberry

from chat.domain import events, people
from chat.errors import ChatError

strawberry.enum(
    events.Kind,
    name="MessageKind",
    description="What somebody said; that it was deleted; a change to who may be there; that somebody joined; or that "
    "you have to start over from the room's history.",
)
strawberry.enum(events.Change, name="AccessChange", description="What a notice tells of.")


@strawberry.input(description="A room, by the name people know it by.")
class ChatRoom:
    room_name: str


@strawberry.input(description="A room, and how far it has been heard.")
class RoomPosition:
    room_name: str
    after: int | None = strawberry.field(
        default=None, description="The last `offset` that was heard; without it, only what comes from now on is sent."
    )


@strawberry.input
class PostMessageInput:
    room_name: str
    message: str
    client_id: str | None = strawberry.field(
        default=None, description="Your own id of the message: sent again with the same one, it is said once."
    )


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


@strawberry.type(description="Where a message entered the site.")
class Origin:
    process: int = strawberry.field(description="The number of the server's process.")
    thread: str

    @classmethod
    def of(cls, origin: events.Origin) -> "Origin":
        return cls(process=origin.process, thread=origin.thread)


@strawberry.type(description="Something said in a room, or done there. What its sender left open is null.")
class ChatRoomMessage:
    room_name: str = strawberry.field(description="The room's name, as one would send it back.")
    current_user: str = strawberry.field(description="The `user` of this subscription.")
    message: str
    id: strawberry.ID | None
    offset: int | None = strawberry.field(
        description="Its place in the room's log: 1, 2, 3 … Null for what isn't stored."
    )
    client_id: str | None = strawberry.field(description="The poster's own id of it.")
    kind: events.Kind
    user: Person | None = strawberry.field(description="Who said it.")
    sent_at: datetime | None
    origin: Origin | None
    deleted: bool = strawberry.field(description="Whether its text is gone; then `message` is empty.")
    target: int | None = strawberry.field(description="Of a DELETION: the `offset` of the message that is deleted.")
    subject: strawberry.ID | None = strawberry.field(description="Of a NOTICE: the id of whom it is about.")
    access: events.Change | None = strawberry.field(description="Of a NOTICE: what has changed.")

    @classmethod
    def of(cls, event: events.Event, current_user: str) -> "ChatRoomMessage":
        return cls(
            room_name=event.room.name,
            current_user=current_user,
            message=event.text,
            id=strawberry.ID(event.id) if event.id else None,
            offset=event.offset,
            client_id=event.client_id,
            kind=event.kind,
            user=Person.of(event.person) if event.person else None,
            sent_at=event.sent_at,
            origin=Origin.of(event.origin) if event.origin else None,
            deleted=event.deleted,
            target=event.target,
            subject=strawberry.ID(event.subject) if event.subject else None,
            access=event.change,
        )


@strawberry.type(description="Why something could not be done.")
class Problem:
    code: str = strawberry.field(description="Stable: docs/protocol.md lists them.")
    message: str
    retry_after: float | None = strawberry.field(
        default=None, description="In how many seconds the same may well succeed, where that is known."
    )

    @classmethod
    def of(cls, error: ChatError) -> "Problem":
        return cls(code=error.code, message=str(error), retry_after=error.details.get("retry_after"))


@strawberry.type(description="What became of a message: one of the two is null.")
class PostMessagePayload:
    message: ChatRoomMessage | None = None
    error: Problem | None = None
