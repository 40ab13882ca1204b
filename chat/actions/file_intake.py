"""Takes in a file, by an upload or an import: its bytes tell its type, whatever it is said to be."""

import asyncio
from pathlib import Path

from chat.domain.file_types import HEAD_BYTES, may_be_picture, media_type
from chat.domain.files import OCTETS, Preview
from chat.pictures import boxes
from chat.pictures.prepared import InvalidPicture, prepare
from chat.storage.uploads import Upload


async def take_in(path: Path, name: str) -> Upload:
    """Finds out what the file at `path` is, with the preview, where there is one.

    The file is changed: a picture and a video lose what their camera wrote into them. A picture that can't be decoded
    is octets, as all that isn't shown. Raises InvalidPicture for one that couldn't be rid of its metadata: people who
    send pictures rely on that. Raises OSError and Unavailable.
    """
    head = await asyncio.to_thread(_head, path)
    if boxes.has_boxes(head):
        await asyncio.to_thread(boxes.blank, path)
    if not may_be_picture(head):
        return Upload(name=name, type=media_type(head), size=await asyncio.to_thread(_size, path))
    try:
        picture = await prepare(path)
    except InvalidPicture as refusal:
        if refusal.keeps_metadata:
            raise
        return Upload(name=name, type=OCTETS, size=await asyncio.to_thread(_size, path))
    return Upload(
        name=name,
        type=picture.type,
        size=await asyncio.to_thread(_size, path),
        preview=Preview(picture.preview_width, picture.preview_height),
        preview_content=picture.preview,
    )


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(HEAD_BYTES)


def _size(path: Path) -> int:
    return path.stat().st_size
