"""The files of a message in an export: what its line says of them, and their bytes beside it, in `files`."""

import re
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from chat.domain.events import Kind
from chat.domain.files import Attachment, clean_file_name
from chat.models import Message
from chat.storage.transfer.fields import ID_MAX, OFFSET_MAX, Fields
from chat.storage.transfer.line_file import Json, digest
from chat.storage.transfer.stored_files import FOLDER, copy_file

FILE_ID = re.compile(r"[0-9a-f]{32}", re.ASCII)
NAME_MAX = 1000  # characters, before it is made a clean one


@dataclass(frozen=True, slots=True)
class FileLine:
    """A file as a line has it. `sha256` is None where its bytes weren't there any more."""

    attachment: Attachment
    sha256: str | None

    @property
    def path(self) -> str:
        return f"{FOLDER}/{self.attachment.id}"


def file_lines(row: Message, directory: Path) -> list[Json]:
    """Copies the files of a message into `directory`, and returns what its line says of them. Raises OSError."""
    has_own = row.kind == Kind.MESSAGE and row.deletion is None
    attachments = Attachment.all_from_json(row.attachments) if has_own else ()
    return [_line(attachment, directory) for attachment in attachments]


def _line(attachment: Attachment, directory: Path) -> Json:
    id = UUID(attachment.id)
    path = copy_file(id, directory)
    line: Json = {"id": id.hex, "name": attachment.name, "type": attachment.type, "size": attachment.size}
    line |= {"path": path, "sha256": digest(directory / path) if path else None}
    if attachment.preview and (preview := copy_file(id, directory, preview=True)):
        pixels = {"width": attachment.preview.width, "height": attachment.preview.height}
        line["preview"] = {**pixels, "path": preview, "sha256": digest(directory / preview)}
    return line


def read_files(fields: Fields) -> tuple[FileLine, ...]:
    """The files of a line. Raises InvalidExport."""
    found = tuple(_read(one) for one in fields.each("files"))
    if len({one.attachment.id for one in found}) < len(found):
        raise fields.fail("has a file twice")
    return found


def _read(fields: Fields) -> FileLine:
    id = fields.line_of_text("id", ID_MAX)
    if not FILE_ID.fullmatch(id):
        raise fields.fail("the “id” of a file has to be 32 hexadecimal digits")
    name = clean_file_name(fields.text("name", NAME_MAX))
    attachment = Attachment(id, name, fields.line_of_text("type", ID_MAX), fields.whole("size", 0, OFFSET_MAX))
    return FileLine(attachment, fields.line_of_text("sha256", ID_MAX) if fields.has("sha256") else None)


def check_file(line: FileLine, directory: Path, fields: Fields) -> None:
    """Compares the bytes with what the line says of them. Raises InvalidExport.

    Paths in the line mean nothing: a file lies in `files`, under its id, and is no link to elsewhere.
    """
    if line.sha256 is None:
        return
    path = directory / line.path
    if path.is_symlink() or not path.is_file() or digest(path) != line.sha256:
        raise fields.fail(f"{line.path} is missing or damaged")
    if path.stat().st_size != line.attachment.size:
        raise fields.fail(f"{line.path} is of another size")
