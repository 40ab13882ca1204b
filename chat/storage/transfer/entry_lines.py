"""Lines of a room's entries: as they are written for rows of the log, and as rows for lines that are read.

A line says what was written then, and what came of it later is in later lines: a message has its first text, each of
its edits another one. So lines that were written before something changed are still right when the change follows.
"""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Max, QuerySet

from chat.domain.events import STORED_KINDS, Kind, is_known
from chat.models import Message, MessageReaction
from chat.storage.transfer.line_file import Json

UNKNOWN = "unknown"  # an entry of a kind that only a newer release knows
ENTRY_TYPES = frozenset(kind.value for kind in STORED_KINDS)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The messages that some edits and reactions are of.

    `deleted` has the offsets of the deletions, by those of the messages. `everybody` has the reactions to a message by
    the offset of the last entry that tells of them.
    """

    deleted: dict[int, int] = field(default_factory=dict)
    everybody: dict[int, list[Json]] = field(default_factory=dict)


def surroundings(room_id: int, rows: Sequence[Message]) -> Surroundings:
    """For the edits and reactions among `rows`. Three queries at most."""
    changed = {row.target for row in rows if row.kind in {Kind.EDIT, Kind.REACTION} and row.target is not None}
    if not changed:
        return Surroundings()
    log = Message.objects.filter(room=room_id)
    gone = log.filter(offset__in=changed, deletion__isnull=False).values_list("offset", "deletion")
    deleted = {offset: deletion for offset, deletion in gone if deletion is not None}
    reacted = {row.target for row in rows if row.kind == Kind.REACTION and row.target not in deleted}
    return Surroundings(deleted, _everybody(log, room_id, {target for target in reacted if target is not None}))


def _everybody(log: QuerySet[Message], room_id: int, targets: Collection[int]) -> dict[int, list[Json]]:
    reactions: dict[int, list[Json]] = defaultdict(list)
    for row in MessageReaction.objects.filter(room=room_id, offset__in=targets).order_by("id") if targets else ():
        by = {"id": row.person_id, "name": row.person_name}
        reactions[row.offset].append({"emoji": row.emoji, "person": by, "at": row.at.isoformat()})
    last = log.filter(kind=Kind.REACTION, target__in=targets).order_by().values_list("target").annotate(Max("offset"))
    return {offset: reactions[target] for target, offset in last if target is not None} if targets else {}


def line_of(row: Message, around: Surroundings) -> Json:
    """The line of an entry."""
    line: Json = {"type": row.kind, "offset": row.offset, "id": row.entry_id, "at": row.sent_at.isoformat()}
    if not is_known(row.kind, row.change):
        return {**line, "type": UNKNOWN}
    is_change = row.kind in {Kind.EDIT, Kind.REACTION}
    deleted = row.deletion or (around.deleted.get(row.target or 0) if is_change else None)
    line["person"] = {"id": row.person_id, "name": row.person_name} if row.person_id else None
    is_edited = row.original_text is not None
    text = row.original_text if row.original_text is not None else row.text
    line["text"] = "" if deleted else text
    more: dict[str, Any] = {
        "client_id": row.client_id if row.sender == row.person_id else None,
        "target": row.target,
        "reply_to": row.reply_to,
        "mentions": None if deleted or is_edited else row.mentions,
        "reactions": None if deleted else row.reactions if row.kind == Kind.REACTION else None,
        "everybody": around.everybody.get(row.offset),
        "subject": row.subject or None,
        "change": row.change or None,
        "role": row.role or None,
        "deleted": deleted,
    }
    return line | {key: value for key, value in more.items() if value is not None}
