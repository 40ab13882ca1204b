"""Attachments: files that belong to a message. Their names are made safe here, whoever gave them."""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote
from uuid import UUID

import regex
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from chat.domain import names, unseen
from chat.domain.rooms import Room
from chat.errors import grouped
from chat.file_errors import NOT_ATTACHABLE, InvalidAttachments, NoSuchFile, TooManyFiles

NAME_BYTES = 255  # of a name in UTF-8: what file systems take
EXTENSION_BYTES = 32  # of a longer name's end, that is kept when the name is shortened
NAMELESS = "file"
PREVIEW = "preview"  # in the place of the name, in the address of a preview
OCTETS = "application/octet-stream"

# Characters that turn the text around them: by these "gpj.exe" is read as "exe.jpg".
TURNING = regex.compile(r"[\p{Bidi_Control}]")
BETWEEN = re.compile(r"\s+")
GRAPHEME = regex.compile(r"\X")
SPELLED_ID = re.compile(r"[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}", re.ASCII)

JsonAttachment = dict[str, str | int]


@dataclass(frozen=True, slots=True)
class Preview:
    """The size in pixels of an image that stands for a file, known before it is loaded."""

    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file of a message. `id` is a UUID as 32 digits, `size` is in bytes.

    `type` is application/octet-stream unless pages may show the file: see `chat.domain.file_types`.
    """

    id: str
    name: str
    type: str
    size: int
    preview: Preview | None = None

    def path(self, room: Room) -> str:
        """The path of the address under which those who may be in `room` get the file."""
        name = quote(self.name, safe="")
        return f"{room.get_absolute_url()}files/{self.id}/{NAMELESS if name == PREVIEW else name}"

    def preview_path(self, room: Room) -> str:
        return f"{room.get_absolute_url()}files/{self.id}/{PREVIEW}"

    def as_json(self) -> JsonAttachment:
        """As it is stored with its message, and as it travels in a group."""
        said: JsonAttachment = {"id": self.id, "name": self.name, "type": self.type, "size": self.size}
        return said | {"width": self.preview.width, "height": self.preview.height} if self.preview else said

    @classmethod
    def all_from_json(cls, value: object) -> tuple["Attachment", ...]:
        """Those in a list of values that `as_json` returned. Other values are left out."""
        found = []
        for one in value if isinstance(value, list) else ():
            match one:
                case {"id": str(id), "name": str(name), "type": str(type), "size": int(size), **others}:
                    found.append(cls(id, name, type, size, _preview(others)))
        return tuple(found)


def _preview(others: Mapping[Any, object]) -> Preview | None:
    match others:
        case {"width": int(width), "height": int(height)}:
            return Preview(width, height)
    return None


def shown(attachment: Attachment, room: Room) -> dict[str, Any]:
    """An attachment as clients get it: in frames, and in the answer to an upload."""
    preview = attachment.preview and {
        "url": attachment.preview_path(room),
        "width": attachment.preview.width,
        "height": attachment.preview.height,
    }
    return {
        "id": attachment.id,
        "name": attachment.name,
        "type": attachment.type,
        "size": attachment.size,
        "url": attachment.path(room),
        "preview": preview,
    }


def names_of(attachments: Iterable[Attachment]) -> str:
    """The text that stands for files where a message has no other: their names, one per line."""
    return "\n".join(attachment.name for attachment in attachments)


def read_ids(given: object) -> tuple[UUID, ...]:
    """The ids of uploaded files that a client wants to attach to a message. None, too, are none.

    Raises InvalidAttachments, NoSuchFile or TooManyFiles.
    """
    if given is None:
        return ()
    if not isinstance(given, list) or not all(isinstance(id, str) for id in given):
        raise InvalidAttachments(_("Attachments have to be a list of the ids of files."))
    if len(given) > settings.CHAT_FILES_PER_MESSAGE:
        raise TooManyFiles(
            _("A message can have {most} files. Send the others with another one."),
            most=grouped(settings.CHAT_FILES_PER_MESSAGE),
        )
    ids = tuple(read_id(id) for id in given)
    if len(set(ids)) < len(ids):
        raise InvalidAttachments(_("The same file can’t be attached twice."))
    return ids


def read_id(given: str) -> UUID:
    """Raises NoSuchFile."""
    if SPELLED_ID.fullmatch(given.lower()):
        return UUID(given)
    raise NoSuchFile(NOT_ATTACHABLE)


def clean_file_name(given: str | None) -> str:
    """A name under which anybody may store the file: one line, no path, nothing that can't be seen or turns the text.

    At most NAME_BYTES bytes of UTF-8; a longer name keeps its extension.
    """
    last = re.split(r"[/\\]", given or "")[-1]
    # What JSON or a wrong encoding has left of half a character can't be stored.
    kept = "".join(" " if unicodedata.category(one) in names.UNNAMEABLE else one for one in last)
    kept = names.DISGUISING.sub("", TURNING.sub("", unicodedata.normalize("NFC", kept)))
    name = _shortened(BETWEEN.sub(" ", kept).strip(" ."))
    return NAMELESS if unseen.is_blank(name) else name


def _shortened(name: str) -> str:
    if len(name.encode()) <= NAME_BYTES:
        return name
    stem, dot, extension = name.rpartition(".")
    if not dot or not stem or len(extension.encode()) > EXTENSION_BYTES:
        stem, dot, extension = name, "", ""
    end = f"{dot}{extension}"
    room = NAME_BYTES - len(end.encode())
    begun = ""
    for grapheme in GRAPHEME.findall(stem):
        room -= len(grapheme.encode())
        if room < 0:
            break
        begun += grapheme
    return f"{begun.rstrip(' .') or NAMELESS}{end}"
