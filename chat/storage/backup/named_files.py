"""The files that a database names: attachments with their previews, avatars, and pictures of linked pages."""

from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Any
from uuid import UUID

from django.core.files.storage import Storage

from chat.storage import file_store, link_pictures

Read = Callable[[str], Iterable[tuple[Any, ...]]]
"""Runs a statement in the database whose files are wanted."""

ATTACHMENTS = "SELECT id, preview_width FROM chat_attachment WHERE state = 'ready'"
LINKS = "SELECT picture_id FROM chat_linkpreview WHERE picture_width IS NOT NULL"
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
    if "chat_linkpreview" in tables:
        for (picture_id,) in read(LINKS):
            yield link_pictures.name_of(UUID(str(picture_id)))
    if any(name.endswith("_avatars") for name in migrations):
        for (avatar,) in read(AVATARS):
            yield file_store.name_of(UUID(avatar))
