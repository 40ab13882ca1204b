"""Imports of rooms: their files are taken in as uploads are, and pages that have the room open are told."""

from pathlib import Path

from asgiref.sync import async_to_sync

from chat.actions import file_intake
from chat.delivery.publisher import publish
from chat.domain.rooms import Room
from chat.pictures.prepared import InvalidPicture
from chat.storage.transfer import room_import
from chat.storage.transfer.checking import CheckedExport
from chat.storage.transfer.import_people import PeopleMap
from chat.storage.transfer.progress import Progress
from chat.storage.transfer.room_import import Imported
from chat.storage.uploads import Upload


def import_room(export: CheckedExport, people: PeopleMap, room: Room, progress: Progress) -> Imported:
    """Imports a room, or goes on where that was broken off. For commands: it blocks.

    Raises TransferError, StorageFull, Unavailable and OSError.
    """
    imported = room_import.import_room(export, people, room, take_in, progress)
    if imported.last is not None:
        async_to_sync(publish)(imported.last)  # listeners of the room read the other entries
    return imported


def take_in(path: Path, name: str) -> Upload | None:
    """As `file_intake.take_in`, for code that blocks; None for a picture that is refused."""
    try:
        return async_to_sync(file_intake.take_in)(path, name)
    except InvalidPicture:
        return None
