"""Messages, and the other entries and events of a room."""

from collections.abc import Awaitable
from datetime import datetime

import strawberry
from graphql import OperationType

from chat.delivery.formatted import Formatted
from chat.domain import events, reactions, rooms
from chat.domain.mentions import EVERYBODY
from gqlchat.schema import context
from gqlchat.schema.loaders import loaders
from gqlchat.schema.people import Person

strawberry.enum(
    events.Kind,
    name="MessageKind",
    description="What somebody said; that it was deleted; a change to who may be there; another text of a message; the "
    "reactions to it; that somebody joined; or that you have to start over from the room's history.",
)
strawberry.enum(events.Change, name="AccessChange", description="What a notice tells of.")


@strawberry.type(description="Where a message entered the site.")
class Origin:
    process: int = strawberry.field(description="The number of the server's process.")
    thread: str

    @classmethod
    def of(cls, origin: events.Origin) -> "Origin":
        return cls(process=origin.process, thread=origin.thread)


@strawberry.type(description="The message that a reply quotes, as it was when this was read.")
class Quote:
    offset: int
    message: str = strawberry.field(description="How it begins. Empty if it is deleted, or no longer kept.")
    user: Person | None

    @classmethod
    def of(cls, quote: events.Quote) -> "Quote":
        user = Person.of(quote.person) if quote.person else None
        return cls(offset=quote.offset, message=quote.message, user=user)


@strawberry.type(description="An emoji, and the people who react to a message with it.")
class Reaction:
    emoji: str
    count: int
    people: list[Person] = strawberry.field(description=f"The first {reactions.PEOPLE_NAMED} of them.")
    place: strawberry.Private[tuple[rooms.Room, int] | None]
    reaction: strawberry.Private[reactions.Reaction]

    @strawberry.field(
        graphql_type=bool | None,
        description="Whether you react with it. Null in a subscription, whose events are the same for all who listen.",
    )
    def own(self, info: strawberry.Info) -> bool | None | Awaitable[bool]:
        if info.operation.operation is OperationType.SUBSCRIPTION or self.place is None:
            return None
        known = self.reaction.has(context.person(info))
        return loaders(info).own_reaction.load((*self.place, self.emoji)) if known is None else known

    @classmethod
    def of(cls, reaction: reactions.Reaction, event: events.Event) -> "Reaction":
        """`event` is the message, or an entry that tells of its reactions."""
        people = [Person.of(person) for person in reaction.people]
        offset = event.offset if event.target is None else event.target
        place = None if offset is None else (event.room, offset)
        return cls(emoji=reaction.emoji, count=reaction.count, people=people, place=place, reaction=reaction)


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
    edited_at: datetime | None = strawberry.field(description="When it got its text, if that isn't the first.")
    reply_to: Quote | None = strawberry.field(description="The message that it replies to.")
    mentions: list[Person] = strawberry.field(description="The people whom its text calls by `@`.")
    mentions_room: bool = strawberry.field(description="Whether it calls everybody by `@room`.")
    reactions: list[Reaction] = strawberry.field(
        description="Those to the message; of a REACTION, all that there are from then on."
    )
    target: int | None = strawberry.field(
        description="Of a DELETION, an EDIT or a REACTION: the `offset` of the message that it changes."
    )
    subject: strawberry.ID | None = strawberry.field(description="Of a NOTICE: the id of whom it is about.")
    access: events.Change | None = strawberry.field(description="Of a NOTICE: what has changed.")
    event: strawberry.Private[events.Event]
    of_history: strawberry.Private[bool]

    @strawberry.field(
        graphql_type=str | None,
        description="The text of a MESSAGE or an EDIT with its formatting, as HTML that is safe to put into a page; "
        "null where that would say no more than `message`.",
    )
    def html(self) -> str | None | Awaitable[str | None]:
        return Formatted.here().html(self.event, history=self.of_history)

    @classmethod
    def of(cls, event: events.Event, current_user: str, *, of_history: bool = False) -> "ChatRoomMessage":
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
            edited_at=event.edited_at,
            reply_to=Quote.of(event.reply_to) if event.reply_to else None,
            mentions=[Person.of(person) for person in event.mentions if person != EVERYBODY],
            mentions_room=EVERYBODY in event.mentions,
            reactions=[Reaction.of(reaction, event) for reaction in event.reactions],
            target=event.target,
            subject=strawberry.ID(event.subject) if event.subject else None,
            access=event.change,
            event=event,
            of_history=of_history,
        )
