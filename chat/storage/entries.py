"""Entries that tell of what happened to a room or to its messages: edits, deletions, reactions, notices.

Each is written by the transaction that makes the change, at a place in the log that this transaction holds. Messages
are entries too; `chat.storage.log` appends these.
"""

from collections.abc import Sequence
from typing import Any

from django.utils import timezone

from chat import models
from chat.domain.events import Change, Event, Kind, NewRole, Origin
from chat.domain.files import Attachment
from chat.domain.people import Person
from chat.domain.reactions import Reaction
from chat.domain.rooms import Room
from chat.storage import attachments, history, mentions, statements
from chat.storage.statements import Place


def take_offset(room: Room) -> Place:
    """For an entry that the running transaction is going to `write`; until it ends, nobody else writes in this room."""
    return statements.take_offsets({room: 1})[room]


def write(
    place: Place,
    *,
    kind: Kind,
    text: str,
    by: Person | None,
    target: int | None = None,
    subject: str = "",
    change: Change | None = None,
    role: NewRole | None = None,
    called: Sequence[Person] = (),
    reactions: Sequence[Reaction] = (),
    files: Sequence[Attachment] = (),
) -> Event:
    """Stores what was done, at its place; `by` is None for what the site itself did."""
    origin = Origin.here()
    message = models.Message.objects.create(
        room_id=place.room_id,
        offset=place.offset,
        text=text,
        person_id=by.id if by else "",
        person_name=by.name if by else "",
        sent_at=timezone.now(),
        process=origin.process,
        thread=origin.thread,
        kind=kind,
        target=target,
        subject=subject,
        change=change or "",
        role=role or "",
        mentions=[person.as_json() for person in called] or None,
        reactions=[reaction.as_json() for reaction in reactions] or None,
        attachments=[attachment.as_json() for attachment in files] or None,
    )
    before = history.find(place.room, place.offset - 1)
    return history.as_event(message, place.room, previous=before.id if before else None)


def blank(place: Place, target: int) -> None:
    """Makes the message at the offset `target` one without a text, which the entry at `place` deletes.

    All that later entries say of it goes too: texts that it got by edits, and the people who reacted to it. And so do
    its files.
    """
    message = models.Message.objects.filter(room=place.room_id, offset=target)
    changes = models.Message.objects.filter(room=place.room_id, target=target, kind__in=[Kind.EDIT, Kind.REACTION])
    gone: dict[str, Any] = {"text": "", "deletion": place.offset}
    gone |= {"mentions": None, "reactions": None, "attachments": None}
    message.update(original_text=None, edited_at=None, links=None, **gone)
    changes.update(**gone)
    mentions.forget(place.room_id, target)
    attachments.give_up_of_message(place.room_id, target)
    models.MessageReaction.objects.filter(room=place.room_id, offset=target).delete()
    models.Report.objects.filter(room=place.room_id, offset=target).delete()
