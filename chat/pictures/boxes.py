"""Videos, and pictures as HEIC and AVIF, without what was written beside them: the place, above all.

Their files are boxes within boxes (ISO 14496-12), and a part of one may be named by its place in the file. So nothing
is moved: what tells of more than the picture and the sound is overwritten with zeros, where it is.
"""

import struct
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, NamedTuple

BRAND = slice(4, 8)  # of a file's beginning, where these have `ftyp`
TELLING = {b"udta", b"meta"}  # in a film, and in its tracks
ITEMS = {b"Exif", b"mime"}  # of a picture; the second one is XMP
NO_EXIF = b"\0\0\0\0MM\0*\0\0\0\x08\0\0"  # one with no fields; decoders refuse a picture with one that is none
META_MAX = 4_000_000  # bytes of a picture's list of items
PIECE = 1 << 20


class Box(NamedTuple):
    """`begin` and `end` are places in the file, of the content; `head` is where its head begins."""

    kind: bytes
    head: int
    begin: int
    end: int


def has_boxes(head: bytes) -> bool:
    """Whether a file that begins like that is one of these."""
    return head[BRAND] == b"ftyp"


def blank(path: Path) -> None:
    """Overwrites the metadata of the file at `path`. A damaged file stays as it is. Raises OSError."""
    with path.open("r+b") as file, suppress(struct.error, ValueError, IndexError):
        for box in _boxes(file, 0, path.stat().st_size):
            if box.kind == b"moov":
                _blank_film(file, box)
            elif box.kind == b"meta":
                _blank_items(file, box)
            elif box.kind in {b"uuid", b"udta"}:
                _blank_box(file, box)


def _boxes(file: BinaryIO, begin: int, end: int) -> Iterator[Box]:
    while begin + 8 <= end:
        file.seek(begin)
        size, kind = struct.unpack(">I4s", file.read(8))
        content = begin + 8
        if size == 1:
            (size,) = struct.unpack(">Q", file.read(8))
            content += 8
        following = end if size == 0 else begin + size
        if following < content:
            return
        yield Box(kind, begin, content, min(following, end))
        begin = following


def _blank_film(file: BinaryIO, film: Box) -> None:
    for box in list(_boxes(file, film.begin, film.end)):
        if box.kind in TELLING:
            _blank_box(file, box)
        elif box.kind == b"trak":
            for part in list(_boxes(file, box.begin, box.end)):
                if part.kind in TELLING:
                    _blank_box(file, part)


def _blank_box(file: BinaryIO, box: Box) -> None:
    file.seek(box.head + 4)
    file.write(b"free")
    _zero(file, box.begin, box.end)


def _blank_items(file: BinaryIO, meta: Box) -> None:
    """The items of a picture in the file are listed with their kinds and, in another list, with their places."""
    if meta.end - meta.begin > META_MAX:
        return
    parts = {box.kind: box for box in _boxes(file, meta.begin + 4, meta.end)}
    if not {b"iinf", b"iloc"} <= parts.keys():
        return
    telling = dict(_telling_items(file, parts[b"iinf"]))
    data = parts.get(b"idat")
    left = _size(file)  # bytes: a hostile list may name the whole file again and again
    for item, is_in_data, begin, length in _places(Reader(_content(file, parts[b"iloc"]))):
        if item not in telling or (is_in_data and data is None):
            continue
        left -= length
        if left < 0:
            raise ValueError("The items are larger than the file.")
        start, last = (data.begin, data.end) if is_in_data and data else (0, begin + length)
        _zero(file, start + begin, min(start + begin + length, last))
        if telling[item] == b"Exif" and len(NO_EXIF) <= min(length, _size(file) - start - begin):
            file.seek(start + begin)
            file.write(NO_EXIF)


def _telling_items(file: BinaryIO, list_of_kinds: Box) -> Iterator[tuple[int, bytes]]:
    version = _content(file, list_of_kinds)[0]
    for box in _boxes(file, list_of_kinds.begin + (6 if version == 0 else 8), list_of_kinds.end):
        entry = Reader(_content(file, box))
        version = entry.number(1)
        entry.number(3)  # flags
        item = entry.number(4 if version == 3 else 2)
        entry.number(2)  # protection
        kind = entry.taken(4)
        if box.kind == b"infe" and kind in ITEMS:
            yield item, kind


def _places(reader: "Reader") -> Iterator[tuple[int, bool, int, int]]:
    """Of each part of an item: the item, whether it is in the box `idat`, where it begins, and its length."""
    version = reader.number(1)
    reader.number(3)  # flags
    sizes = reader.number(2)
    of_offset, of_length, of_base, of_index = (sizes >> shift & 15 for shift in (12, 8, 4, 0))
    for _ in range(reader.number(4 if version == 2 else 2)):
        item = reader.number(4 if version == 2 else 2)
        method = reader.number(2) & 15 if version else 0
        reader.number(2)  # whether another file has it
        base = reader.number(of_base)
        for _ in range(reader.number(2)):
            reader.number(of_index if version else 0)
            begin, length = base + reader.number(of_offset), reader.number(of_length)
            yield item, method == 1, begin, length


class Reader:
    """Reads numbers from bytes, one after the other. Raises IndexError at their end."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._at = 0

    def taken(self, length: int) -> bytes:
        if self._at + length > len(self._content):
            raise IndexError("The box ends too soon.")
        self._at += length
        return self._content[self._at - length : self._at]

    def number(self, length: int) -> int:
        return int.from_bytes(self.taken(length))


def _content(file: BinaryIO, box: Box) -> bytes:
    file.seek(box.begin)
    return file.read(min(box.end - box.begin, META_MAX))


def _zero(file: BinaryIO, begin: int, end: int) -> None:
    """Overwrites that part of the file, as far as it is there."""
    end = min(end, _size(file))
    file.seek(begin)
    while (left := end - file.tell()) > 0:
        file.write(bytes(min(left, PIECE)))


def _size(file: BinaryIO) -> int:
    return file.seek(0, 2)
