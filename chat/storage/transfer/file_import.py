"""Takes the files of an export into the site's storage. Nobody gets them before the room is there."""

from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path
from uuid import NAMESPACE_URL, UUID, uuid5

from django.db import transaction
from django.db.models import Exists, OuterRef

from chat import models
from chat.domain.files import OCTETS, Attachment
from chat.models import AttachmentState
from chat.storage import file_store, file_usage
from chat.storage.attachments import as_attachment
from chat.storage.transfer.entry_rows import EntryLine
from chat.storage.transfer.file_lines import FileLine
from chat.storage.uploads import Upload

FILES = uuid5(NAMESPACE_URL, "chat:imported-files")

TakeIn = Callable[[Path, str], Upload | None]
"""Finds out what the file at a path is, which has that name, and changes it as uploads are. None if it is refused."""


class FileImport:
    """Files of one room, which has that primary key, and is to be called `name`, out of `directory`.

    `refused` has the names of those that weren't taken in.
    """

    def __init__(self, directory: Path, room_id: int, name: str, take_in: TakeIn, *, keeps_ids: bool) -> None:
        self._directory = directory
        self._room_id = room_id
        self._name = name
        self._take_in = take_in
        self._keeps_ids = keeps_ids
        self.refused: list[str] = []

    def store(self, entries: Iterable[EntryLine]) -> dict[str, Attachment]:
        """Stores the files of these entries, and returns them as they are here, by their ids in the export.

        A row comes first, then the bytes, and then the row says what they are: where this is broken off, the row is
        found again. Raises StorageFull, and OSError.
        """
        return {
            file.attachment.id: stored
            for entry in entries
            for file in entry.files
            if file.sha256 is not None and (stored := self._store(file, entry)) is not None
        }

    def _store(self, file: FileLine, entry: EntryLine) -> Attachment | None:
        id = self._id(UUID(file.attachment.id))
        row = self._row(id, file.attachment.size, entry.offset, entry.at)
        if row.name:
            return as_attachment(row)  # it was stored before the import was broken off
        path = file_store.copy_incoming(self._directory / file.path)
        try:
            upload = self._take_in(path, file.attachment.name)
            if upload is None:
                self.refused.append(file.attachment.name)
                _remove_row(row)
                return None
            file_store.delete(id)  # of an import that was broken off while it stored the file
            file_store.save_upload(path, upload.preview_content, id)
        finally:
            path.unlink(missing_ok=True)
        _finish_row(row, upload)
        return as_attachment(row)

    def _id(self, id: UUID) -> UUID:
        """The id that the file gets: its own, unless another room has that; then one made of it and the room's name."""
        is_taken = models.Attachment.objects.filter(id=id).exclude(room=self._room_id).exists()
        return id if self._keeps_ids and not is_taken else uuid5(FILES, f"{self._name}/{id.hex}")

    def _row(self, id: UUID, size: int, offset: int, at: datetime) -> models.Attachment:
        """The row of a file; without a name until the file is stored."""
        with transaction.atomic():
            row, is_new = models.Attachment.objects.get_or_create(
                id=id,
                defaults={
                    "room_name": self._name,
                    "room_id": self._room_id,
                    "offset": offset,
                    "person_id": "",
                    "name": "",
                    "type": OCTETS,
                    "size": size,
                    "created_at": at,
                },
            )
            if is_new:
                file_usage.take(size)
        return row

    def finish(self) -> None:
        """Gives the files to the messages; in the transaction that gives the room its name."""
        mine = models.Attachment.objects.filter(room=self._room_id)
        author = models.Message.objects.filter(room=self._room_id, offset=OuterRef("offset"))
        mine.filter(state=AttachmentState.UPLOADING).update(
            state=AttachmentState.READY, person_id=author.values("person_id")[:1]
        )
        mine.filter(Exists(author.exclude(deletion=None))).update(state=AttachmentState.GONE)


def _finish_row(row: models.Attachment, upload: Upload) -> None:
    with transaction.atomic():
        file_usage.take(upload.size - row.size)
        row.name, row.type, row.size = upload.name, upload.type, upload.size
        if upload.preview is not None:
            row.preview_width, row.preview_height = upload.preview.width, upload.preview.height
        row.save()


def _remove_row(row: models.Attachment) -> None:
    with transaction.atomic():
        file_usage.free(row.size)
        row.delete()
