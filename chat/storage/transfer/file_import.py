"""Takes the files of an export into the site's storage. Nobody gets them before the room is there."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from uuid import NAMESPACE_URL, UUID, uuid5

from django.core.files import File
from django.db import transaction
from django.db.models import Exists, OuterRef

from chat import models
from chat.domain.files import Attachment
from chat.models import AttachmentState
from chat.storage import file_store, file_usage
from chat.storage.file_store import outages_as_os_errors
from chat.storage.transfer.entry_rows import EntryLine
from chat.storage.transfer.file_lines import FileLine, type_of

FILES = uuid5(NAMESPACE_URL, "chat:imported-files")


class FileImport:
    """Files of one room, which has that primary key, and is to be called `name`, out of `directory`."""

    def __init__(self, directory: Path, room_id: int, name: str, *, keeps_ids: bool) -> None:
        self._directory = directory
        self._room_id = room_id
        self._name = name
        self._keeps_ids = keeps_ids

    def store(self, entries: Iterable[EntryLine]) -> dict[str, Attachment]:
        """Stores the files of these entries, and returns them as they are here, by their ids in the export.

        A row comes first, then the bytes: where this is broken off, the row is found again. Raises StorageFull, and
        OSError.
        """
        return {
            file.attachment.id: self._store(file, entry)
            for entry in entries
            for file in entry.files
            if file.sha256 is not None
        }

    def _store(self, file: FileLine, entry: EntryLine) -> Attachment:
        path = self._directory / file.path
        id = self._id(UUID(file.attachment.id))
        here = replace(file.attachment, id=id.hex, type=type_of(path), preview=file.attachment.preview)
        self._add_row(id, here, entry.offset, entry.at)
        _save(path, file_store.name_of(id))
        if file.preview_sha256 is not None:
            _save(self._directory / file.preview_path, file_store.name_of(id, preview=True))
        return here

    def _id(self, id: UUID) -> UUID:
        """The id that the file gets: its own, unless another room has that; then one made of it and the room's name."""
        is_taken = models.Attachment.objects.filter(id=id).exclude(room=self._room_id).exists()
        return id if self._keeps_ids and not is_taken else uuid5(FILES, f"{self._name}/{id.hex}")

    def _add_row(self, id: UUID, file: Attachment, offset: int, at: datetime) -> None:
        with transaction.atomic():
            _, is_new = models.Attachment.objects.get_or_create(
                id=id,
                defaults={
                    "room_name": self._name,
                    "room_id": self._room_id,
                    "offset": offset,
                    "person_id": "",
                    "name": file.name,
                    "type": file.type,
                    "size": file.size,
                    "preview_width": file.preview.width if file.preview else None,
                    "preview_height": file.preview.height if file.preview else None,
                    "created_at": at,
                },
            )
            if is_new:
                file_usage.take(file.size)

    def finish(self) -> None:
        """Gives the files to the messages; in the transaction that gives the room its name."""
        mine = models.Attachment.objects.filter(room=self._room_id)
        author = models.Message.objects.filter(room=self._room_id, offset=OuterRef("offset"))
        mine.filter(state=AttachmentState.UPLOADING).update(
            state=AttachmentState.READY, person_id=author.values("person_id")[:1]
        )
        mine.filter(Exists(author.exclude(deletion=None))).update(state=AttachmentState.GONE)


def _save(path: Path, name: str) -> None:
    """Copies a file into the storage, unless that has it whole."""
    storage = file_store.storage()
    with outages_as_os_errors():
        if storage.exists(name):
            if storage.size(name) == path.stat().st_size:
                return
            storage.delete(name)
        with path.open("rb") as content:
            storage.save(name, File(content))
