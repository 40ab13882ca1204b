"""Uploads: a file comes in, is written to this machine's disk piece by piece, looked at, and put where files are kept.

Limits hold before anything is read, by the length that is announced, and while it is read, whatever was announced.
An upload that is cut off or refused leaves nothing behind.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Protocol
from uuid import UUID

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from chat.actions import rate_limits
from chat.actions.file_cleaning import FileCleaning
from chat.actions.file_intake import take_in
from chat.delivery.detached_tasks import DetachedTasks
from chat.domain.files import Attachment, clean_file_name
from chat.domain.grants import Scope
from chat.domain.people import Person
from chat.domain.rooms import Room
from chat.errors import Unavailable, unforeseen
from chat.file_errors import FileTooLarge, TooManyUploads
from chat.per_loop import PerLoop
from chat.storage import file_store, uploads
from chat.storage.database import in_database

FORM_BYTES = 8_000  # of an upload's body, at most, that are not the file's
WRITE_BYTES = 256 * 1024  # so many are written at once, and kept in memory until then
UPLOADS_MAX = 100  # at once, to one process
UPLOADS_PER_PERSON = 10
UPLOADS_PER_ADDRESS = 40
STORED_AT_ONCE = 2  # files; a storage over the network keeps parts of each in memory

logger = logging.getLogger(__name__)


class Incoming(Protocol):
    """The bytes of a file, as they come in. `announced` is the length of all that comes, at most; 0 if nobody knows.

    `name` is known once the first bytes are.
    """

    announced: int
    name: str | None

    def __aiter__(self) -> AsyncIterator[bytes]: ...


class Uploading(PerLoop):
    """The uploads that this process takes at the moment."""

    def __init__(self) -> None:
        self._under_way = 0
        self._by: Counter[str] = Counter()  # by person's id, and by address
        self._storing = asyncio.Semaphore(STORED_AT_ONCE)

    async def upload(self, room: Room, incoming: Incoming, *, person: Person) -> Attachment:
        """Stores a file that its uploader can attach to a message in `room` within a day.

        Raises InsufficientScope, FileTooLarge, TooManyUploads, RateLimited, Banned, NotAMember, ReadOnly,
        DailyFilesExceeded, StorageFull, InvalidPicture, Unavailable, and what `incoming` raises.
        """
        person.require(Scope.WRITE)
        if incoming.announced > settings.CHAT_FILE_SIZE + FORM_BYTES:
            raise FileTooLarge(settings.CHAT_FILE_SIZE)
        with self._counted(person):
            await rate_limits.spend(person, on="file")
            announced = max(0, incoming.announced - FORM_BYTES)
            id = await in_database(uploads.begin, room, by=person, announced=announced)
            FileCleaning.here().hourly()
            file: IO[bytes] | None = None
            try:
                file = await asyncio.to_thread(file_store.new_incoming)
                return await self._take(room, id, incoming, file)
            except Exception as error:
                # Not where this is cancelled: the server ends, and a thread may still be storing something. What it
                # leaves has a row, and is deleted when that is a day old.
                DetachedTasks.here().start(_undo(room, id, file))
                if isinstance(error, OSError):
                    logger.error("Can't store a file: %s", error)
                    raise Unavailable(_("Files can’t be stored at the moment. Please try again later.")) from error
                raise

    @contextmanager
    def _counted(self, person: Person) -> Iterator[None]:
        most = {person.id: UPLOADS_PER_PERSON} | ({person.address: UPLOADS_PER_ADDRESS} if person.address else {})
        if self._under_way >= UPLOADS_MAX:
            raise Unavailable(_("Too many files are being uploaded at once. Please try again in a moment."))
        for one, limit in most.items():
            if self._by[one] >= limit:
                raise TooManyUploads(limit)
        self._under_way += 1
        self._by.update(most.keys())
        try:
            yield
        finally:
            self._under_way -= 1
            self._by.subtract(most.keys())
            self._by = +self._by  # without those who upload nothing any more

    async def _take(self, room: Room, id: UUID, incoming: Incoming, file: IO[bytes]) -> Attachment:
        path = Path(file.name)
        size = await _write(incoming, file)
        await in_database(uploads.check_fits, room, id, size)
        upload = await take_in(path, clean_file_name(incoming.name))
        async with self._storing:
            await asyncio.to_thread(file_store.save_upload, path, upload.preview_content, id)
        return await in_database(uploads.finish, room, id, upload)


async def _write(incoming: Incoming, file: IO[bytes]) -> int:
    """Writes what comes in to `file`, and closes it. Returns the size, in bytes. Raises FileTooLarge."""
    size, waiting = 0, bytearray()
    async for piece in incoming:
        size += len(piece)
        if size > settings.CHAT_FILE_SIZE:
            raise FileTooLarge(settings.CHAT_FILE_SIZE)
        waiting += piece
        if len(waiting) >= WRITE_BYTES:
            await asyncio.to_thread(file.write, waiting)
            waiting = bytearray()
    await asyncio.to_thread(_end, file, waiting)
    return size


def _end(file: IO[bytes], last: bytes | bytearray) -> None:
    file.write(last)
    file.close()


async def _undo(room: Room, id: UUID, file: IO[bytes] | None) -> None:
    """Leaves nothing of an upload that came to nothing."""
    try:
        if file is not None:
            await asyncio.to_thread(_delete, file)
        await in_database(uploads.give_up, room, id)
    except Unavailable:
        return  # the row stays, and is given up when it is a day old
    except Exception as error:
        unforeseen(error)
    FileCleaning.here().soon()


def _delete(file: IO[bytes]) -> None:
    file.close()
    Path(file.name).unlink(missing_ok=True)
