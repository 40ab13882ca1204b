"""Files that nobody can get any more: which they are, and what the database keeps of them until their bytes are gone.

    UPLOADING, READY  --give up-->  GONE  --the bytes are deleted-->  no row

A process may die between two of these steps: the next cleaning takes the rest. `chat.actions.file_cleaning` goes
through the steps, here are the parts of them that are the database's.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from chat import models
from chat.domain.events import Kind
from chat.domain.rooms import Room
from chat.models import AttachmentState
from chat.storage import file_usage
from chat.storage.database import reads_long, writes

UNATTACHED_KEPT = timedelta(days=1)  # from the beginning of an upload until it has to be attached
TOGETHER_MAX = 100  # files in a statement
LOOKED_AT = 5_000  # files whose messages are looked for by one query

Found = list[tuple[Room, list[UUID]]]
"""Files by their rooms."""


def gone() -> Found:
    """The next files whose bytes have to be deleted."""
    return _by_room(models.Attachment.objects.filter(state=AttachmentState.GONE).order_by("id"))


def unattached(now: datetime | None = None) -> Found:
    """The next files that no message has had for UNATTACHED_KEPT. Some of them may never have come in whole."""
    before = (now or timezone.now()) - UNATTACHED_KEPT
    found = models.Attachment.objects.filter(offset=None, created_at__lt=before)
    return _by_room(found.exclude(state=AttachmentState.GONE).order_by("created_at"))


@reads_long
def orphaned(after: UUID | None = None) -> tuple[Found, UUID | None]:
    """Files among the next LOOKED_AT whose message is deleted or no longer kept, or whose room is; and where to go on.

    Deleting and pruning give these up at once, but an instance of the release before knows no files.
    """
    looked_at = models.Attachment.objects.filter(state=AttachmentState.READY, offset__isnull=False).order_by("id")
    ids = list((looked_at.filter(id__gt=after) if after else looked_at).values_list("id", flat=True)[:LOOKED_AT])
    if not ids:
        return [], None
    kept = models.Message.objects.filter(
        room=OuterRef("room"), offset=OuterRef("offset"), kind=Kind.MESSAGE, deletion=None
    )
    found = looked_at.filter(~Exists(kept), id__gte=ids[0], id__lte=ids[-1])
    return _by_room(found, most=LOOKED_AT), ids[-1]


@writes
def give_up(room: Room, ids: Sequence[UUID]) -> None:
    """Nobody gets these files any more, unless a message has just got one that none had."""
    still = Q(offset=None) | ~Exists(
        models.Message.objects.filter(room=OuterRef("room"), offset=OuterRef("offset"), deletion=None)
    )
    models.Attachment.objects.filter(still, id__in=ids).update(state=AttachmentState.GONE)


@writes
def forget(room: Room, ids: Sequence[UUID]) -> int:
    """Deletes the rows of files whose bytes are deleted. Returns how many; others may be at it, too."""
    with transaction.atomic():
        rows = models.Attachment.objects.select_for_update().filter(id__in=ids, state=AttachmentState.GONE)
        sizes = dict(rows.values_list("id", "size"))
        models.Attachment.objects.filter(id__in=sizes).delete()
        file_usage.free(sum(sizes.values()))
        file_usage.forget_days()
    return len(sizes)


def _by_room(found: QuerySet[models.Attachment], most: int = TOGETHER_MAX) -> Found:
    by_room: dict[str, list[UUID]] = {}
    for id, name in found.values_list("id", "room_name")[:most]:
        by_room.setdefault(name, []).append(id)
    return [(Room(name), ids) for name, ids in by_room.items()]
