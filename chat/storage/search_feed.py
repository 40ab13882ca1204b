"""Feeds the index of what was said: what is new, what got another text, and what was there before there was an index.

Several processes may feed it, one at a time: each step locks the row that says how far it has come.
"""

from datetime import timedelta

from django.db import connection, transaction
from django.db.models import Max
from django.utils import timezone

from chat import models
from chat.models import SearchPending, SearchProgress
from chat.storage import search_index
from chat.storage.database import reads_long

STEP_SIZE = 200  # messages that are indexed in one transaction, which holds others up on SQLite
# A transaction may end so much later than one that took higher keys; as in chat.storage.changes.
GAP_LIFETIME = timedelta(seconds=60)
FIRST_GAP = 10_000  # keys, among which transactions may be under way when all begins
ROW = 1  # the key of the row of SearchProgress
# Locked, so that none is edited or deleted before its terms are stored. SQLite has one writer at a time anyway.
LOCK = {"sqlite": "", "postgresql": "FOR SHARE"}


@reads_long  # and writes: what may wait, and may be done again
def feed(size: int = STEP_SIZE) -> float | None:
    """Takes the next step. Returns in how many seconds there is another one to take; None if there is none.

    None, too, while another process takes one.
    """
    with transaction.atomic():
        progress = _locked()
        if progress is None:
            return None
        if _feed_pending(size) or _feed_new(progress, size):
            return 0
        wait = _move_on(progress)
        if progress.low > 0:
            _feed_old(progress, size)
            wait = 0
        progress.save()
        return wait


def remaining() -> int:
    """How many keys there are below which nothing is indexed; 0 when all is."""
    return SearchProgress.objects.filter(pk=ROW).values_list("low", flat=True).first() or 0


def begin() -> int:
    """Notes which messages are old ones, unless that is noted. Returns `remaining`."""
    if not SearchProgress.objects.filter(pk=ROW).exists():
        highest = _highest_key()
        first = max(0, highest - FIRST_GAP)
        row = SearchProgress(pk=ROW, low=first, high=first, coming_high=highest, coming_at=timezone.now())
        SearchProgress.objects.bulk_create([row], ignore_conflicts=True)
    return remaining()


def empty() -> None:
    """Takes everything out of the index; what `feed` does next begins with the newest messages."""
    with transaction.atomic():
        SearchProgress.objects.all().delete()
        SearchPending.objects.all().delete()
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM chat_search")


def _locked() -> SearchProgress | None:
    """The row, held until the transaction ends; None if another holds it."""
    begin()
    rows = SearchProgress.objects.select_for_update(skip_locked=connection.vendor == "postgresql")
    return rows.filter(pk=ROW).first()


def _highest_key() -> int:
    return models.Message.objects.aggregate(highest=Max("id"))["highest"] or 0


def _feed_pending(size: int) -> int:
    keys = list(SearchPending.objects.values_list("message_id", flat=True)[:size])
    if keys:
        _put(f"message.id IN ({', '.join(['%s'] * len(keys))})", LOCK[connection.vendor], keys)
        SearchPending.objects.filter(message_id__in=keys).delete()
    return len(keys)


def _feed_new(progress: SearchProgress, size: int) -> int:
    order = f"ORDER BY message.id LIMIT {size} {LOCK[connection.vendor]}"
    return _put("message.id > %s", order, [progress.high])


def _feed_old(progress: SearchProgress, size: int) -> None:
    """Indexes the next messages below, the newest first. Where much was pruned, their keys are far between."""
    below = models.Message.objects.filter(pk__lte=progress.low).order_by("-pk").values_list("pk", flat=True)
    low = next(iter(below[size : size + 1]), 0)
    _put("message.id > %s AND message.id <= %s", LOCK[connection.vendor], [low, progress.low])
    progress.low = low


def _move_on(progress: SearchProgress) -> float | None:
    """Notes that nothing more comes below a key. Returns in how many seconds to look again; None if never."""
    now, highest = timezone.now(), _highest_key()
    if now >= progress.coming_at + GAP_LIFETIME:
        progress.high = max(progress.high, progress.coming_high)
        progress.coming_high, progress.coming_at = highest, now
    if progress.high >= highest:
        return None
    return (progress.coming_at + GAP_LIFETIME - now).total_seconds()


def _put(which: str, rest: str, values: list[int]) -> int:
    messages = search_index.read(f"{search_index.unindexed(which)} {rest}", values)
    if messages:
        search_index.put(messages)
    return len(messages)
