"""The files that a database names: attachments with their previews, and avatars."""

from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Any
from uuid import UUID

from django.core.files.storage import Storage

from chat.storage import file_store

Read = Callable[[str], Iterable[tuple[Any, ...]]]
"""Runs a statement in the database whose files are wanted."""

ATTACHMENTS = "SELECT id, preview_width FROM chat_attachment WHERE state = 'ready'"
AVATARS = "SELECT avatar FROM chat_profile WHERE avatar <> ''"


def storage() -> Storage:
    return file_store.storage()


def named_files(read: Read, tables: Collection[str], migrations: Collection[str]) -> Iterator[str]:
    """The names in the storage of all files that a database names, which has these tables and migrations."""
    if "chat_attachment" in tables:
        for id, preview_width in read(ATTACHMENTS):
            yield file_store.name_of(UUID(str(id)))
            if preview_width is not None:
                yield file_store.name_of(UUID(str(id)), preview=True)
    if any(name.endswith("_avatars") for name in migrations):
        for (avatar,) in read(AVATARS):
            yield file_store.name_of(UUID(avatar))
