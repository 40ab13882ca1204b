"""Messages, and the other entries and events of a room."""

from collections.abc import Awaitable
from datetime import datetime

import strawberry
from graphql import OperationType

from chat.delivery.rooms.formatted import Formatted
from chat.domain import events, links, reactions, rooms
from chat.domain.mentions import EVERYBODY
from gqlchat.schema import context, enums
from gqlchat.schema.attachments import Attachment
from gqlchat.schema.loaders import loaders
from gqlchat.schema.people import Person

enums.describe(
    events.Kind,
    name="MessageKind",
    description="The kinds of entries and other events of a room.",
    values={
        events.Kind.MESSAGE: "Something that a person said.",
        events.Kind.DELETION: "The message `target` was deleted.",
        events.Kind.NOTICE: "The room has changed, or the people who may be there: see `access`.",
        events.Kind.EDIT: "The message `target` has this `message` as its text now. Sent to those who ask for it.",
        events.Kind.REACTION: "The message `target` has these `reactions` from now on. Sent to those who ask for it.",
        events.Kind.GREETING: "Somebody has joined by `joinChatRooms`. It isn't stored.",
        events.Kind.LINKS: "The message `target` has these `links`. It isn't stored, and sent to those who ask for it.",
        events.Kind.START_OVER: "Entries that you missed can't be brought any more: read the history before `offset`. "
        "Your position is this `offset` and `id` from now on.",
    },
)
enums.describe(
    events.Change,
    name="AccessChange",
    description="The change that a NOTICE tells of. Its `subject` is the person whom it is about.",
    values={
        events.Change.ADDED: "The subject is a member now.",
        events.Change.CHANGED: "The subject has another role, or none any more in a public room.",
        events.Change.REMOVED: "The subject is no member of a private room any more, and hears nothing after this.",
        events.Change.BANNED: "The subject is banned, and hears nothing after this.",
        events.Change.UNBANNED: "The subject isn't banned any more.",
        events.Change.CLOSED: "The room is private now: only members hear what comes after this.",
        events.Change.OPENED: "The room is public now.",
        events.Change.READ_ONLY: "Only moderators and owners can write in the room.",
        events.Change.WRITABLE: "Everybody in the room can write there again.",
        events.Change.SLOW_MODE: "Slow mode is on, off, or has another number of seconds.",
    },
)


@strawberry.type(description="Where a message entered the site.")
class Origin:
    process: int = strawberry.field(description="The number of the server's process.")
    thread: str = strawberry.field(description="The name of the thread in that process.")

    @classmethod
    def of(cls, origin: events.Origin) -> "Origin":
        return cls(process=origin.process, thread=origin.thread)


@strawberry.type(description="The message that a reply quotes, as it was when this was read.")
class Quote:
    offset: int = strawberry.field(description="The `offset` of the message.")
    quote: strawberry.Private[events.Quote]

    @strawberry.field(
        description="The beginning of its text, 200 characters at most. Empty where it is deleted, or no longer kept."
    )
    def message(self, info: strawberry.Info) -> str:
        context.check_reading(info)
        return self.quote.message

    @strawberry.field(description="The person who said it; null where `message` is empty.")
    def user(self, info: strawberry.Info) -> Person | None:
        context.check_reading(info)
        return Person.of(self.quote.person) if self.quote.person else None

    @classmethod
    def of(cls, quote: events.Quote) -> "Quote":
        return cls(offset=quote.offset, quote=quote)


@strawberry.type(description="An emoji, and the people who react to a message with it.")
class Reaction:
    emoji: str = strawberry.field(description="A single emoji, as Unicode writes it in full.")
    count: int = strawberry.field(description="How many people react with it.")
    place: strawberry.Private[tuple[rooms.Room, int] | None]
    reaction: strawberry.Private[reactions.Reaction]

    @strawberry.field(description=f"The first {reactions.PEOPLE_NAMED} of them.")
    def people(self, info: strawberry.Info) -> list[Person]:
        context.check_reading(info)
        return [Person.of(person) for person in self.reaction.people]

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
        offset = event.offset if event.target is None else event.target
        place = None if offset is None else (event.room, offset)
        return cls(emoji=reaction.emoji, count=reaction.count, place=place, reaction=reaction)


@strawberry.type(description="The picture of a page, made small and served by this site.")
class LinkPicture:
    url: str = strawberry.field(description="Its address, from the site's root on.")
    width: int = strawberry.field(description="In pixels.")
    height: int = strawberry.field(description="In pixels.")


@strawberry.type(description="A link in a message, and what the page that it leads to says of itself.")
class Link:
    url: str = strawberry.field(description="The address that the message links to, without a fragment.")
    title: str = strawberry.field(description="The title of the page, 200 characters at most.")
    description: str = strawberry.field(description="400 characters at most. Empty where the page has none.")
    site_name: str = strawberry.field(description="The name of the site. Empty where the page doesn't say it.")
    picture: LinkPicture | None = strawberry.field(description="Null where the page has none that can be shown.")

    @classmethod
    def of(cls, link: links.Link) -> "Link":
        shown = link.picture
        picture = LinkPicture(url=shown.path, width=shown.width, height=shown.height) if shown else None
        return cls(
            url=link.url,
            title=link.title,
            description=link.description,
            site_name=link.site_name,
            picture=picture,
        )


@strawberry.type(
    description="Something said in a room, or done there: an entry of its log, or an event that isn't stored."
)
class ChatRoomMessage:
    room_name: str = strawberry.field(description="The name of the room.")
    current_user: str = strawberry.field(
        description="The name of the person who asks; in `joinChatRooms`, the `user` that it was given."
    )
    message: str = strawberry.field(
        description="The text, as it was written. Of a DELETION, a NOTICE or a REACTION, a sentence that tells of it, "
        "for clients that don't know the kind. Of `attachments` without a text, their names, one per line."
    )
    id: strawberry.ID | None = strawberry.field(
        description="The same for everybody who gets it. Null where a program has told it to the room without one."
    )
    offset: int | None = strawberry.field(
        description="Its place in the room's log: 1, 2, 3 …, without holes. Null for an event that isn't stored."
    )
    client_id: str | None = strawberry.field(description="The id that its sender gave it; null where they gave none.")
    kind: events.Kind = strawberry.field(description="The kind of entry or event that it is.")
    user: Person | None = strawberry.field(
        description="The person who said or did it; null where that is nobody in particular."
    )
    sent_at: datetime | None = strawberry.field(
        description="As in 2026-01-31T14:29:07.874971+00:00. Null where a program has told it to the room without a "
        "time."
    )
    origin: Origin | None = strawberry.field(description="Where it entered the site; null where that isn't known.")
    deleted: bool = strawberry.field(description="Whether its text is gone; then `message` is empty.")
    edited_at: datetime | None = strawberry.field(description="The time of the last edit; null where there was none.")
    reply_to: Quote | None = strawberry.field(description="The message that it replies to; null where it is no reply.")
    mentions: list[Person] = strawberry.field(
        description="The people whom its text mentions by `@`; everybody is in `mentionsRoom`."
    )
    mentions_room: bool = strawberry.field(description="Whether it mentions everybody in the room by `@room`.")
    reactions: list[Reaction] = strawberry.field(
        description="The reactions to the message, in the order of their first; of a REACTION, all that the message "
        "`target` has from then on."
    )
    attachments: list[Attachment] = strawberry.field(description="The files of the message.")
    links: list[Link] = strawberry.field(
        description="The first pages that the message links to, 3 at most, once the site has asked for them; of LINKS, "
        "all that the message `target` has from then on."
    )
    target: int | None = strawberry.field(
        description="Of a DELETION, an EDIT, a REACTION or LINKS: the `offset` of the message that it changes. Null "
        "for other kinds."
    )
    subject: strawberry.ID | None = strawberry.field(
        description="Of a NOTICE: the id of the person whom it is about. Null for other kinds, and where it is about "
        "the room."
    )
    access: events.Change | None = strawberry.field(description="Of a NOTICE: what has changed. Null for other kinds.")
    event: strawberry.Private[events.Event]
    of_history: strawberry.Private[bool]

    @strawberry.field(
        graphql_type=str | None,
        description="The text of a MESSAGE or an EDIT with its formatting, as HTML that is safe to put into a page. "
        "Null where that would say no more than `message`.",
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
            attachments=[Attachment.of(attachment, event.room) for attachment in event.attachments],
            links=[Link.of(link) for link in event.links],
            target=event.target,
            subject=strawberry.ID(event.subject) if event.subject else None,
            access=event.change,
            event=event,
            of_history=of_history,
        )
