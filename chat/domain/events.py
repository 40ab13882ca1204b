"""Something said in a room, or done there: an event.

Five kinds are stored. A `message` is what somebody said. Three others name a message by `target`: a `deletion` says
that its text is gone, an `edit` has its new text, a `reaction` all `reactions` to it. A `notice` tells of a change to
who may be there: `change` says which, `subject` is the id of the person it is about, if it is about one, and `role`
what that person is from then on. The `message` of a deletion, a reaction or a notice is a sentence for those who know
no kinds.

A message that is read from the database is as it is now: with its last text, and `edited_at` the time of that.

An event with an offset is stored: an entry of the room's log. One without is passed on live, and gone. An entry names
by `previous` the one before it, so a listener at that one knows that nothing is missing in between.
"""

import os
import threading
import uuid
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from sys import getsizeof

from django.conf import settings
from django.utils import timezone

from chat.domain.files import Attachment, names_of
from chat.domain.links import Link
from chat.domain.people import Person
from chat.domain.positions import Position
from chat.domain.reactions import Reaction
from chat.domain.rooms import Room


class Kind(StrEnum):
    MESSAGE = "message"
    DELETION = "deletion"
    NOTICE = "notice"
    EDIT = "edit"
    REACTION = "reaction"
    GREETING = "greeting"
    LINKS = "links"  # never in a group: tells listeners what is shown of the pages that a message links to
    START_OVER = "start_over"  # never in a group: tells listeners that what they missed can't be brought any more


# The entries that a room's history has. The others change a message, which has all that they say.
HISTORY_KINDS = frozenset({Kind.MESSAGE, Kind.DELETION, Kind.NOTICE})
STORED_KINDS = HISTORY_KINDS | {Kind.EDIT, Kind.REACTION}
# The kinds that a listener hears which asks for nothing more: those that every release knows.
USUAL_KINDS = frozenset({Kind.MESSAGE, Kind.DELETION, Kind.NOTICE, Kind.GREETING})


class Change(StrEnum):
    """The change that a notice tells of."""

    ADDED = "added"
    CHANGED = "changed"  # another role, or none any more in a room that is open to everybody
    REMOVED = "removed"  # from a private room: the subject hears nothing after this
    BANNED = "banned"  # the subject hears nothing after this
    UNBANNED = "unbanned"
    CLOSED = "closed"  # to all but members, who alone hear what comes after this
    OPENED = "opened"
    READ_ONLY = "read_only"  # for all but owners and moderators
    WRITABLE = "writable"  # for all again
    SLOW_MODE = "slow_mode"  # switched on or off, or to another number of seconds


class NewRole(StrEnum):
    """The role that the subject of a notice has from then on; as chat.models.Role, and one for who has none."""

    NONE = "none"
    MEMBER = "member"
    MODERATOR = "moderator"
    OWNER = "owner"


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a message entered the site."""

    process: int
    thread: str

    @classmethod
    def here(cls) -> "Origin":
        return cls(process=os.getpid(), thread=threading.current_thread().name)


@dataclass(frozen=True, slots=True)
class Quote:
    """The quote of a reply: the message at `offset`, its author and the beginning of its text.

    Both are as they were when this was read. The text is empty where the message is deleted, or no longer kept.
    """

    offset: int
    person: Person | None = None
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something said in a room, or done there. Fields that its sender left out are None.

    `known` is false for an entry of a kind, or of a change, that only a newer release knows. Its offset counts, and
    that is all: nobody is shown it.
    """

    room: Room
    message: str
    kind: Kind = Kind.MESSAGE
    id: str | None = None
    offset: int | None = None
    client_id: str | None = None
    person: Person | None = None
    sent_at: datetime | None = None
    origin: Origin | None = None
    target: int | None = None
    deleted: bool = False
    subject: str | None = None
    change: Change | None = None
    role: NewRole | None = None
    """Of a notice with a subject. None, too, where an instance of an older version wrote it."""
    edited_at: datetime | None = None
    """Of a message: when it got the text that it has, if that isn't its first."""
    reply_to: Quote | None = None
    mentions: tuple[Person, ...] = ()
    """Of a message, or of an edit: the people whom the text names."""
    reactions: tuple[Reaction, ...] = ()
    """Of a message, and of a reaction: all that there are to the message, in the order of their first."""
    attachments: tuple[Attachment, ...] = ()
    """Of a message, and of an edit to an empty text: the files of the message. With them, `message` may be empty."""
    links: tuple[Link, ...] = ()
    """Of a message, or of `links` of its target: what is shown of the pages that it links to."""
    known: bool = True
    previous: str | None = field(default=None, compare=False)
    """The id of the entry before it, where that was looked up. Of what starts over: of the one that was heard last."""

    @property
    def log(self) -> Room:
        """The log that it is of, for delivery (`chat.domain.logs`)."""
        return self.room

    @property
    def starts_over(self) -> bool:
        return self.kind is Kind.START_OVER

    @property
    def size(self) -> int:
        """About how many bytes of memory it takes: its text is what may be long."""
        return getsizeof(self.message)

    @property
    def position(self) -> Position | None:
        """The position of a listener that has heard this entry; None for what is not stored."""
        return None if self.offset is None else Position(self.offset, self.id)

    def follows(self, position: Position) -> bool:
        """Whether this is the entry right after `position`, with nothing in between, in the same log."""
        return self.offset == position.offset + 1 and self.previous == position.id

    @property
    def text(self) -> str:
        """The message as people get to see it; with CHAT_SHOW_ORIGIN, where it comes from stands before it.

        Files without a text have their names in its place, one per line: some clients show nothing else of a message.
        """
        text = self.message or names_of(self.attachments)
        if settings.CHAT_SHOW_ORIGIN and self.origin and not self.deleted:
            return f"process: {self.origin.process} thread: {self.origin.thread} -> {text}"
        return text


def build(*, room: Room, message: str, person: Person | None, kind: Kind = Kind.MESSAGE) -> Event:
    """An event that is not stored, said here and now by `person`, or by nobody in particular."""
    return Event(
        room=room,
        message=message,
        kind=kind,
        id=str(uuid.uuid4()),
        person=person,
        sent_at=timezone.now(),
        origin=Origin.here(),
    )


def start_over(room: Room, position: Position) -> Event:
    """Tells listeners of `room` that what they hear from here on follows `position`, and not what they heard before.

    Its offset and id are those of the position.
    """
    text = "Some messages are missing here. Please start over from the history."
    return Event(room=room, message=text, kind=Kind.START_OVER, offset=position.offset, id=position.id)


def is_known(kind: object, change: object) -> bool:
    """Whether an entry of the log is one that this release knows, by what is stored or sent of it."""
    return (kind is None or kind in [*STORED_KINDS]) and (not change or change in [*Change])
