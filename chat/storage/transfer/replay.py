"""Plays entries of an export into a room's log: each is stored, and does to earlier messages what it tells of."""

from collections.abc import Mapping, Sequence
from uuid import NAMESPACE_URL, UUID, uuid5

from django.db.models import Q

from chat.domain.events import Kind
from chat.domain.files import Attachment
from chat.models import Mention, Message, MessageReaction
from chat.storage.transfer.entry_rows import EntryLine
from chat.storage.transfer.import_people import PeopleMap

IMPORTS = uuid5(NAMESPACE_URL, "chat:imported-entries")
CHANGED_FIELDS = ["text", "original_text", "edited_at", "mentions", "reactions", "attachments", "links", "deletion"]
NOTHING_LEFT = {
    "text": "",
    "original_text": None,
    "edited_at": None,
    "mentions": None,
    "reactions": None,
    "attachments": None,
    "links": None,
}


class Replay:
    """Stores entries in the room with that primary key, which is to be called `name`.

    With `keeps_ids` they have the ids that they had.
    """

    def __init__(self, room_id: int, name: str, people: PeopleMap, *, keeps_ids: bool) -> None:
        self._room_id = room_id
        self._name = name
        self.people = people
        self._keeps_ids = keeps_ids

    def uid(self, id: str) -> UUID:
        """The id that the entry gets: its own, or one made of it and of the room's name."""
        return UUID(hex=id) if self._keeps_ids and is_uid(id) else uuid5(IMPORTS, f"{self._name}/{id}")

    def store(self, entries: Sequence[EntryLine], files: Mapping[str, Attachment]) -> None:
        """Stores the entries, which follow those before without a hole. Belongs into a transaction.

        `files` has their files as they are here, by their ids in the export.
        """
        new = {entry.offset: self._row(entry, files) for entry in entries}
        old = self._earlier(entries)
        rows = old | new
        changed: set[int] = set()
        reacted: dict[int, EntryLine] = {}
        for entry in entries:
            target = rows.get(entry.target or 0)
            if target is not None:
                changed |= {row.offset for row in _change(target, entry, rows)}
                if entry.everybody is not None or entry.type == Kind.DELETION:
                    reacted[target.offset] = entry
        Message.objects.bulk_create(new.values())
        Message.objects.bulk_update([old[offset] for offset in changed & old.keys()], CHANGED_FIELDS, batch_size=100)
        self._store_mentions([rows[offset] for offset in new.keys() | changed], changed & old.keys())
        self._store_reactions(rows, reacted)

    def _row(self, entry: EntryLine, files: Mapping[str, Attachment]) -> Message:
        person = self.people.person(entry.person) if entry.person else None
        return Message(
            room_id=self._room_id,
            offset=entry.offset,
            uid=self.uid(entry.id),
            text=entry.text,
            person_id=person.id if person else "",
            person_name=person.name if person else "",
            sender=person.id if person and entry.client_id else "",
            client_id=entry.client_id,
            sent_at=entry.at,
            process=0,
            thread="",
            kind=entry.type,
            target=entry.target,
            subject=self.people.id(entry.subject),
            change=entry.change,
            role=entry.role,
            reply_to=entry.reply_to,
            mentions=[self.people.called(one).as_json() for one in entry.mentions] or None,
            reactions=self._reactions(entry),
            attachments=[files[id].as_json() for one in entry.files if (id := one.attachment.id) in files] or None,
        )

    def _reactions(self, entry: EntryLine) -> list[object] | None:
        found: list[object] = [
            {
                "emoji": one.emoji,
                "count": one.count,
                "people": [self.people.person(person).as_json() for person in one.people],
            }
            for one in entry.reactions
        ]
        return found or None

    def _earlier(self, entries: Sequence[EntryLine]) -> dict[int, Message]:
        """The stored messages that these entries change, and the stored changes of those that they delete."""
        targets = {entry.target for entry in entries if entry.target is not None}
        deleted = {entry.target for entry in entries if entry.type == Kind.DELETION}
        if not targets:
            return {}
        kinds = [Kind.EDIT, Kind.REACTION]
        wanted = Q(offset__in=targets) | Q(target__in=deleted, kind__in=kinds, deletion=None)
        return {row.offset: row for row in Message.objects.filter(wanted, room=self._room_id)}

    def _store_mentions(self, rows: Sequence[Message], stored_before: set[int]) -> None:
        if stored_before:
            Mention.objects.filter(room=self._room_id, offset__in=stored_before).delete()
        Mention.objects.bulk_create(
            Mention(room_id=self._room_id, offset=row.offset, person_id=person["id"], caller_id=row.person_id)
            for row in rows
            if row.kind == Kind.MESSAGE
            for person in {person["id"]: person for person in row.mentions or ()}.values()
        )

    def _store_reactions(self, rows: dict[int, Message], reacted: dict[int, EntryLine]) -> None:
        if not reacted:
            return
        MessageReaction.objects.filter(room=self._room_id, offset__in=reacted).delete()
        MessageReaction.objects.bulk_create(
            MessageReaction(
                room_id=self._room_id,
                offset=offset,
                emoji=given.emoji,
                person_id=self.people.id(given.person.id),
                person_name=given.person.name,
                at=given.at,
            )
            for offset, entry in reacted.items()
            if rows[offset].deletion is None
            for given in entry.everybody or ()
        )


def is_uid(id: str) -> bool:
    """Whether it is the id of an entry that has one of its own, and not the primary key of an old one."""
    return len(id) == 32 and not set(id) - set("0123456789abcdef")


def _change(target: Message, entry: EntryLine, rows: Mapping[int, Message]) -> list[Message]:
    """Does to `target` what the entry tells of. Returns which of `rows`, by their offsets, are other ones by it."""
    row = rows[entry.offset]
    if entry.type == Kind.DELETION:
        gone = [target, *(one for one in rows.values() if one.target == target.offset and one.kind != Kind.DELETION)]
        for one in gone:
            for name, value in NOTHING_LEFT.items():
                setattr(one, name, value)
            one.deletion = entry.offset
        return gone
    if target.deletion is not None or entry.deleted is not None:
        return []
    if entry.type == Kind.EDIT:
        target.original_text = target.text if target.original_text is None else target.original_text
        target.text, target.edited_at, target.mentions = row.text, row.sent_at, row.mentions
        if not row.text:
            row.attachments = target.attachments  # as chat.storage.edits writes it
    else:
        target.reactions = row.reactions
    return [target]
