"""Drafts: messages that aren't stored yet."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from chat.domain.events import Event, Origin, Quote
from chat.domain.files import Attachment
from chat.domain.people import Person
from chat.domain.rooms import Room
from chat.storage import quotes
from chat.storage.statements import Link, NewMessage

Identity = tuple[Room, str, str | None]  # of a message: its room, sender and client id


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A message that isn't stored yet. `client_id` tells what one sender sends again from what is new.

    `trusted` is what the site itself says: it may say it in any room, whoever may be there. `reply_to` is the offset of
    the message that this one quotes, `mentions` are the people whom it calls, `files` are the ids of the files that it
    is to have. Those are its `attachments` when it is stored, if they are there and its sender's own.
    """

    room: Room
    text: str
    person: Person
    client_id: str | None = None
    reply_to: int | None = None
    mentions: tuple[Person, ...] = ()
    files: tuple[UUID, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    origin: Origin = field(default_factory=Origin.here)
    trusted: bool = False

    @property
    def sender(self) -> str:
        return self.person.id if self.person.lasting else ""

    @property
    def is_plain(self) -> bool:
        """Whether there is nothing to look up or to store beside the message."""
        return self.reply_to is None and not self.mentions and not self.files and not self.room.is_direct

    @property
    def identity(self) -> Identity:
        """The same for each retry, if there is a client id."""
        return self.room, self.sender, self.client_id

    def as_row(self, uid: str) -> NewMessage:
        return NewMessage(
            uid=uid,
            text=self.text,
            person_id=self.person.id,
            person_name=self.person.name,
            sender=self.sender,
            client_id=self.client_id,
            process=self.origin.process,
            thread=self.origin.thread,
            reply_to=self.reply_to,
            mentions=[person.as_json() for person in self.mentions] or None,
            attachments=[attachment.as_json() for attachment in self.attachments] or None,
        )

    def as_event(self, uid: str, link: Link, sent_at: datetime, quoted: Mapping[quotes.Place, Quote]) -> Event:
        """The event of this draft, once it is stored. A reply has its quote from `quoted`."""
        return Event(
            room=self.room,
            message=self.text,
            id=uid,
            offset=link.offset,
            client_id=self.client_id,
            person=self.person,
            sent_at=sent_at,
            origin=self.origin,
            reply_to=None if self.reply_to is None else quoted[self.room, self.reply_to],
            mentions=self.mentions,
            attachments=self.attachments,
            previous=link.previous,
        )


Drafts = Mapping[int, Draft]  # by their places in what is stored together
