"""The room that files take up: of the whole site, and what each person uploads on a day (in UTC).

Both are counted in rows of their own, by statements that add only as much as fits. So the limits hold whichever
processes write at once, and to ask costs the same however many files there are.
"""

from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.db import connection
from django.db.models import F
from django.utils import timezone

from chat import models
from chat.file_errors import DailyFilesExceeded, StorageFull

SITE = "site"
ADD = """
    INSERT INTO chat_fileusage (key, bytes) VALUES (%s, %s)
    ON CONFLICT (key) DO UPDATE SET bytes = chat_fileusage.bytes + excluded.bytes
        WHERE excluded.bytes <= 0 OR chat_fileusage.bytes + excluded.bytes <= %s
    RETURNING bytes
"""


def add(person_id: str, since: datetime, size: int) -> None:
    """Counts `size` more bytes (fewer, below 0) of an upload that began at `since`, in the running transaction.

    Raises DailyFilesExceeded or StorageFull; then the transaction has to be undone. All lock the two rows in this
    order, so nobody holds one and waits for the other.
    """
    if not _add(_of_day(person_id, since), size, settings.CHAT_FILES_PER_DAY):
        raise DailyFilesExceeded(settings.CHAT_FILES_PER_DAY, retry_after=_seconds_left())
    if not _add(SITE, size, settings.CHAT_FILES_TOTAL):
        raise StorageFull


def refund(person_id: str, since: datetime, size: int) -> None:
    """Takes an upload that came to nothing off its person's day. The site's part is taken off with its bytes."""
    models.FileUsage.objects.filter(key=_of_day(person_id, since)).update(bytes=F("bytes") - size)


def take(size: int) -> None:
    """Counts a file that the site itself brings in. Raises StorageFull; then the transaction has to be undone."""
    if not _add(SITE, size, settings.CHAT_FILES_TOTAL):
        raise StorageFull


def free(size: int) -> None:
    """Takes bytes that are deleted off the site's."""
    models.FileUsage.objects.filter(key=SITE).update(bytes=F("bytes") - size)


def total() -> int:
    """The bytes of all files that are kept, or are being uploaded."""
    return models.FileUsage.objects.filter(key=SITE).values_list("bytes", flat=True).first() or 0


def forget_days() -> None:
    """Forgets what people uploaded before yesterday."""
    yesterday = f"{timezone.now().astimezone(UTC) - timedelta(days=1):%Y-%m-%d}"
    models.FileUsage.objects.filter(key__lt=yesterday).exclude(key=SITE).delete()


def _add(key: str, size: int, most: int) -> bool:
    """Whether so many more are no more than `most` in all, and are counted now."""
    if size > most:
        return False
    with connection.cursor() as cursor:
        cursor.execute(ADD, [key, size, most])
        return cursor.fetchone() is not None


def _of_day(person_id: str, at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d} {person_id}"


def _seconds_left() -> float:
    now = timezone.now().astimezone(UTC)
    tomorrow = (now + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    return (tomorrow - now).total_seconds()
