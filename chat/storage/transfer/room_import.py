"""Imports a room. Until all of it is stored it has a name that nobody can enter; so nobody sees a half.

The import is found by that name again, which is made of what is imported, and goes on where it was broken off.
"""

import hashlib
import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field

from django.db import transaction
from django.db.models import Exists, OuterRef

from chat import models
from chat.domain.events import Event
from chat.domain.people import USER
from chat.domain.rooms import Room, folded
from chat.models import Message, Verb
from chat.storage import accounts, audit, history
from chat.storage.transfer.checking import CheckedExport
from chat.storage.transfer.entry_rows import TYPES, EntryLine, read_entry
from chat.storage.transfer.errors import TransferError
from chat.storage.transfer.fields import Fields
from chat.storage.transfer.file_import import FileImport, TakeIn
from chat.storage.transfer.import_people import PeopleMap
from chat.storage.transfer.line_file import read_lines
from chat.storage.transfer.progress import Progress, silent
from chat.storage.transfer.replay import Replay, is_uid

UNFINISHED = "\x01import:"  # begins the name of a room that is being imported: a character that no name can have
BATCH_SIZE = 500  # entries in one transaction


@dataclass(frozen=True, slots=True)
class Imported:
    """The room, how many entries this call has stored, its last entry, and whom it has no members of.

    `is_new` is false if the room was there already, with the same entries. `refused_files` are the names of those files
    that this call hasn't taken in.
    """

    room: Room
    entries: int
    last: Event | None
    is_new: bool = True
    left_out: list[str] = field(default_factory=list)
    refused_files: list[str] = field(default_factory=list)


def import_room(
    export: CheckedExport, people: PeopleMap, room: Room, take_in: TakeIn, progress: Progress = silent
) -> Imported:
    """Stores what was exported as `room`, with the offsets that it had.

    The entries keep their ids, unless another room has them. Files go through `take_in`. Raises TransferError if there
    is such a room already.
    """
    if room.is_direct and not (people.same and room == export.room):
        raise TransferError("A direct room can be imported by “same” people only. Give it a name by --as.")
    keeps_ids = room == export.room and not _has_ids(export)
    name = _unfinished_name(export, people, room, keeps_ids)
    there = models.Room.objects.filter(name=room.name).first()
    if there is not None and not _is_empty(there):
        return _found(there, export, Replay(there.pk, room.name, people, keeps_ids=True), room)
    here, _ = models.Room.objects.get_or_create(
        name=name,
        defaults={
            "is_private": True,
            "restricted": True,
            "last_offset": export.first - 1,
            "pruned_to": export.first - 1,
        },
    )
    replay = Replay(here.pk, room.name, people, keeps_ids=keeps_ids)
    files = FileImport(export.path.parent, here.pk, room.name, take_in, keeps_ids=keeps_ids)
    entries = _store_entries(export, here, replay, files, progress)
    left_out = _finish(export, people, here, room, files)
    return Imported(room, entries, history.find(room, export.last_offset), True, left_out, files.refused)


def _store_entries(
    export: CheckedExport, here: models.Room, replay: Replay, files: FileImport, progress: Progress
) -> int:
    """Stores the entries that aren't yet. Returns how many."""
    begun_at = here.last_offset
    missing = itertools.dropwhile(lambda entry: entry.offset <= begun_at, _entries(export))
    while batch := list(itertools.islice(missing, BATCH_SIZE)):
        stored = files.store(batch)
        with transaction.atomic():
            locked = models.Room.objects.select_for_update().get(pk=here.pk)
            if locked.last_offset != batch[0].offset - 1:
                raise TransferError("The same import is running elsewhere.")
            replay.store(batch, stored)
            locked.last_offset = batch[-1].offset
            locked.save(update_fields=["last_offset"])
        progress(locked.last_offset - export.first + 1, export.entries)
    return export.last_offset - begun_at


def _entries(export: CheckedExport) -> Iterator[EntryLine]:
    for line in read_lines(export.path):
        if line.value.get("type") in TYPES:
            yield read_entry(Fields(line))


def _finish(export: CheckedExport, people: PeopleMap, here: models.Room, room: Room, files: FileImport) -> list[str]:
    """Stores what isn't in the log, and gives the room its name. Returns the names of members without an account."""
    with transaction.atomic():
        for there in models.Room.objects.select_for_update().filter(name=room.name):
            if not _is_empty(there):
                raise TransferError(f"There is a room “{room.name}” by now. Choose another name by --as.")
            there.delete()
        left_out = _add_members(export, people, here)
        _add_bans(export, people, here)
        files.finish()
        here.name, here.search_name = room.name, folded(room.name)
        here.is_private, here.read_only, here.slow_mode = export.private, export.read_only, export.slow_mode
        here.link_previews = export.link_previews
        here.restricted = export.private or bool(export.bans)
        here.last_offset = export.last_offset
        if export.last is not None:
            here.active_at = export.last.at.replace(second=0, microsecond=0)
        here.save()
        audit.record(None, Verb.ROOM_IMPORTED, room=room, entries=export.entries, private=export.private)
    return left_out


def _add_members(export: CheckedExport, people: PeopleMap, here: models.Room) -> list[str]:
    roles = {user_id: one.role for one in export.members.values() if (user_id := people.user_id(one.person))}
    known = accounts.users().in_bulk([int(user_id) for user_id in roles])
    models.RoomMember.objects.bulk_create(
        models.RoomMember(room=here, user=user, role=roles[str(pk)]) for pk, user in known.items()
    )
    found = {f"{USER}{pk}" for pk in known}
    return [one.person.name for one in export.members.values() if people.id(one.person.id) not in found]


def _add_bans(export: CheckedExport, people: PeopleMap, here: models.Room) -> None:
    for ban in export.bans.values():
        person = people.person(ban.person)
        row = here.bans.create(person_id=person.id, person_name=person.name, by=ban.by)
        here.bans.filter(pk=row.pk).update(at=ban.at)  # which is set to now when it is created


def _found(there: models.Room, export: CheckedExport, replay: Replay, room: Room) -> Imported:
    """For a room that is there: it is what was to be imported, or in the way."""
    last = export.last
    if last is None and there.last_offset == there.pruned_to == export.last_offset:
        return Imported(room, 0, None, is_new=False)
    if last is not None:
        copies = Replay(there.pk, room.name, replay.people, keeps_ids=False)
        if Message.objects.filter(
            room=there, offset=last.offset, uid__in=[replay.uid(last.id), copies.uid(last.id)]
        ).exists():
            return Imported(room, 0, None, is_new=False)
    raise TransferError(f"There is a room “{room.name}” already. Choose another name by --as.")


def _has_ids(export: CheckedExport) -> bool:
    """Whether entries of that export are in a room here, other than an unfinished import: ids are never given twice."""
    if export.last is None or not is_uid(export.last.id):
        return False
    # By the rooms, so that there is an index to it.
    same = Message.objects.filter(room=OuterRef("pk"), offset=export.last.offset, uid=export.last.id)
    return models.Room.objects.filter(Exists(same)).exclude(name__startswith=UNFINISHED).exists()


def _is_empty(room: models.Room) -> bool:
    return room.last_offset == 0 and not room.members.exists() and not room.bans.exists()


def _unfinished_name(export: CheckedExport, people: PeopleMap, room: Room, keeps_ids: bool) -> str:
    what = f"{export.digest}\n{people.key}\n{keeps_ids}\n{room.name}"
    return UNFINISHED + hashlib.sha256(what.encode()).hexdigest()
