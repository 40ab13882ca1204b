"""Messages, and the other entries and events of a room."""

from datetime import datetime

import strawberry

from chat.domain import events
from gqlchat.schema.people import Person

strawberry.enum(
    events.Kind,
    name="MessageKind",
    description="What somebody said; that it was deleted; a change to who may be there; that somebody joined; or that "
    "you have to start over from the room's history.",
)
strawberry.enum(events.Change, name="AccessChange", description="What a notice tells of.")


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
