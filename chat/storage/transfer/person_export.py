"""Exports what the site keeps of one person: for that person, who may ask for it."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.apps import apps
from django.contrib.auth import get_user_model
from django.db import models as db

from chat import models
from chat.domain.events import Kind
from chat.domain.people import Person
from chat.models import AttachmentState
from chat.storage.erasing import logins
from chat.storage.transfer import entry_lines
from chat.storage.transfer.entry_lines import UNKNOWN, Surroundings
from chat.storage.transfer.errors import TransferError
from chat.storage.transfer.exclusive import exclusive
from chat.storage.transfer.line_file import Json, LineWriter
from chat.storage.transfer.progress import Progress, silent
from chat.storage.transfer.site import site_id
from chat.storage.transfer.stored_files import copy_file

FILE_NAME = "person.jsonl"
LOCK = ".lock"
VERSION = 1
BATCH_SIZE = 500  # entries that are read at once
KINDS = (Kind.MESSAGE, Kind.EDIT, Kind.DELETION, Kind.NOTICE)
ENTRIES = frozenset({*(kind.value for kind in KINDS), UNKNOWN})
# Keys and addresses by which somebody could act in the person's place.
SECRETS = frozenset(
    {"id", "person_id", "user_id", "auth", "p256dh", "endpoint", "session_key", "digest", "session_hash"}
)
# Tables that have lines of their own, or say nothing more.
ELSEWHERE = (
    models.Message,
    models.Attachment,
    models.RoomMember,
    models.Profile,
    models.AccountSkeleton,
    models.DisplayNameSkeleton,
)


@dataclass(frozen=True, slots=True)
class ExportedPerson:
    path: Path
    entries: int


def export_person(person: Person, directory: Path, progress: Progress = silent) -> ExportedPerson:
    """Writes what there is of the person into `directory`, or goes on where that was broken off.

    Raises TransferError, and OSError where files can't be read.
    """
    export = _PersonExport(person, directory)
    directory.mkdir(parents=True, exist_ok=True)
    with exclusive(directory / LOCK), LineWriter(directory / FILE_NAME, export.keep) as file:
        for line in export.lines(progress):
            file.write(line)
        file.finish()
    return ExportedPerson(directory / FILE_NAME, export.entries)


class _PersonExport:
    """How far the export of one person is: the last entry that is in the file."""

    def __init__(self, person: Person, directory: Path) -> None:
        self._person = person
        self._directory = directory
        self._header = {"type": "person-export", "version": VERSION, "site": site_id(), "person": person.as_json()}
        self._has_header = False
        self._room = ""
        self._offset = 0
        self.entries = 0

    def keep(self, line: Json) -> bool:
        """Whether the line, which the file has already, stays. All after the entries is written anew."""
        if not self._has_header:
            if line != self._header:
                raise TransferError("The directory has an unfinished export of something else. Choose another one.")
            self._has_header = True
            return True
        if line.get("type") not in ENTRIES:
            return False
        self._room, self._offset = line["room"], line["offset"]
        self.entries += 1
        return True

    def lines(self, progress: Progress) -> Iterator[Json]:
        if not self._has_header:
            yield self._header
        for line in self._entries():
            self.entries += 1
            yield line
            progress(self.entries, None)
        yield from self._account()
        for session in logins.sessions_of(self._person):
            yield {"type": "session", "expires": session.expire_date.isoformat()}
        yield from self._memberships()
        yield from self._files()
        for model in apps.get_app_config("chat").get_models():
            columns = {field.attname for field in model._meta.concrete_fields}
            if model not in ELSEWHERE and "person_id" in columns:
                yield from self._rows(model, person_id=self._person.id)
            elif model not in ELSEWHERE and "user_id" in columns and not self._person.is_guest:
                yield from self._rows(model, user_id=self._person.user_id)
        yield {"type": "end", "entries": self.entries}

    def _entries(self) -> Iterator[Json]:
        """Their messages and other entries; room by room, since each room's log has an index."""
        begun = models.Room.objects.filter(name=self._room).first()
        for room in models.Room.objects.filter(pk__gte=begun.pk if begun else 0).order_by("pk"):
            after = self._offset if begun and room.pk == begun.pk else 0
            mine = room.messages.filter(person_id=self._person.id, kind__in=KINDS).order_by("offset")
            while rows := list(mine.filter(offset__gt=after)[:BATCH_SIZE]):
                after = rows[-1].offset
                for row in rows:
                    yield entry_lines.line_of(row, Surroundings()) | {"room": room.name}

    def _account(self) -> Iterator[Json]:
        if self._person.is_guest:
            return
        for user in get_user_model()._default_manager.filter(pk=self._person.user_id):
            names = (
                "username",
                "email",
                "first_name",
                "last_name",
                "date_joined",
                "last_login",
                "is_active",
                "is_staff",
            )
            yield {"type": "account", **{name: _as_json(getattr(user, name)) for name in names if hasattr(user, name)}}
        for profile in models.Profile.objects.filter(user_id=self._person.user_id):
            told = {"display_name": profile.display_name, "about": profile.about, "time_zone": profile.time_zone}
            yield {"type": "profile", **told}

    def _memberships(self) -> Iterator[Json]:
        if not self._person.is_guest:
            for member in models.RoomMember.objects.filter(user_id=self._person.user_id).select_related("room"):
                yield {"type": "member", "room": member.room.name, "role": member.role}

    def _files(self) -> Iterator[Json]:
        ready = models.Attachment.objects.filter(person_id=self._person.id, state=AttachmentState.READY)
        for row in ready.order_by("created_at").iterator():
            yield {
                "type": "file",
                "name": row.name,
                "content_type": row.type,
                "size": row.size,
                "at": row.created_at.isoformat(),
                "room": row.room_name,
                "offset": row.offset,
                "path": copy_file(row.id, self._directory),
            }

    def _rows(self, model: type[db.Model], **whose: str) -> Iterator[Json]:
        """The person's rows in a table: readings, reactions, reports, whom they ignore and so on."""
        rooms = dict(models.Room.objects.values_list("pk", "name")) if hasattr(model, "room_id") else {}
        for row in model._default_manager.filter(**whose).order_by("pk").values().iterator():
            shown = {key: _as_json(value) for key, value in row.items() if key not in SECRETS}
            if "room_id" in shown:
                shown = {"room": rooms.get(shown.pop("room_id"))} | shown
            yield {"type": model._meta.model_name, **shown}


def _as_json(value: Any) -> Any:
    return value if value is None or isinstance(value, (bool, int, float, str, list, dict)) else str(value)
