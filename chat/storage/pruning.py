"""Pruning: deletes a room's oldest entries. The offsets of the others stay, and the log goes on where it was.

Nobody gets the files of what is pruned any more; `chat.actions.file_cleaning` deletes them.
"""

from datetime import datetime

from django.db import transaction

from chat import models
from chat.models import Verb
from chat.storage import attachments, audit

PRUNE_SIZE = 5000  # entries that are deleted at once


def prune(*, older_than: datetime | None = None, keep: int | None = None) -> int:
    """Deletes messages from before `older_than`, and all but the last `keep` of each room. Returns how many."""
    deleted = sum(
        _prune_room(room_id, older_than, keep) for room_id in models.Room.objects.values_list("id", flat=True)
    )
    if deleted:  # in many transactions, so this is one of its own
        with transaction.atomic():
            before = older_than and older_than.isoformat(timespec="seconds")
            audit.record(None, Verb.MESSAGES_PRUNED, messages=deleted, before=before, keep=keep)
    return deleted


def _prune_room(room_id: int, older_than: datetime | None, keep: int | None) -> int:
    with transaction.atomic():
        room = models.Room.objects.select_for_update().get(id=room_id)
        ends = [room.pruned_to]
        if keep is not None:
            ends.append(room.last_offset - keep)
        if older_than is not None:
            # Goes through those that it is going to delete, and no others.
            young = room.messages.filter(sent_at__gte=older_than).order_by("offset").values_list("offset", flat=True)
            ends.append(next((first - 1 for first in young[:1]), room.last_offset))
        room.pruned_to = max(ends)
        room.save(update_fields=["pruned_to"])
    # From here on nobody recovers what is going; so it goes piece by piece, and nobody waits to post.
    deleted = 0
    while piece := list(
        room.messages.filter(offset__lte=room.pruned_to)
        .order_by("offset")
        .values_list("offset", flat=True)[:PRUNE_SIZE]
    ):
        deleted += room.messages.filter(offset__lte=piece[-1]).delete()[0]
        room.reactions.filter(offset__lte=piece[-1]).delete()
        room.reports.filter(offset__lte=piece[-1]).delete()
    models.Mention.objects.filter(room=room, offset__lte=room.pruned_to).delete()
    attachments.give_up_until(room.id, room.pruned_to)
    return deleted
