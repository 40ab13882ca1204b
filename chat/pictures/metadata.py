"""Pictures without what their makers put beside them: place, camera, author, thumbnails, comments.

The picture itself is not decoded or compressed again. Only parts that are known to belong to it are kept (pixels,
colour profile, transparency, animation), so data of an unknown kind go, and all that follows the picture's end: another
file, say. How the picture is to be turned is kept, by `orientation`.

A picture that is cut off or broken gives what could be read of it. Decoding is what finds that out.

A picture may be large, so its parts are views until they are put together, and it is in memory twice at most.
"""

import re
import struct
import zlib
from collections.abc import Iterator

from chat.pictures import orientation

STRIPPED = b"stripped\n"  # by which the picture process says that a file has lost its metadata

Part = bytes | memoryview

_JPEG_END = b"\xff\xd9"
_JPEG_MARKER = re.compile(rb"\xff([\x01-\xcf\xd8-\xfe])")  # one that can't be within the compressed pixels
_JPEG_NO_LENGTH = {0x01, 0xD8}
_JPEG_TABLES_AND_FRAMES = {*range(0xC0, 0xD0), *range(0xDA, 0xE0)}
_JPEG_APPLICATION = {0xE0: b"JFIF\0", 0xE2: b"ICC_PROFILE\0", 0xEE: b"Adobe"}

_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_PNG_CHUNKS = {
    *(b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"bKGD", b"pHYs"),
    *(b"cHRM", b"gAMA", b"iCCP", b"sRGB", b"sBIT", b"cICP"),
    *(b"acTL", b"fcTL", b"fdAT"),
}

_WEBP_CHUNKS = {b"VP8 ", b"VP8L", b"VP8X", b"ALPH", b"ANIM", b"ANMF", b"ICCP"}
_WEBP_EXIF, _WEBP_XMP = 0x08, 0x04  # flags of VP8X

_GIF_ANIMATION = {b"NETSCAPE2.0", b"ANIMEXTS1.0"}


def stripped(content: bytes) -> bytes | None:
    """The picture without metadata; None if it is none of JPEG, PNG, GIF and WebP by its first bytes."""
    if content.startswith(b"\xff\xd8\xff"):
        return _jpeg(content)
    if content.startswith(_PNG_SIGNATURE):
        return _png(content)
    if content.startswith((b"GIF87a", b"GIF89a")):
        return _gif(content)
    if content.startswith(b"RIFF") and content[8:12] == b"WEBP":
        return _webp(content)
    return None


def _jpeg(content: bytes) -> bytes:
    view = memoryview(content)
    kept: list[Part] = []
    turned, place = 1, 2
    while (found := _JPEG_MARKER.search(content, place)) is not None:
        marker = found[1][0]
        if marker == 0xD9:
            kept.append(_JPEG_END)
            break
        if marker in _JPEG_NO_LENGTH:
            place = found.end()
            continue
        end = found.end() + int.from_bytes(content[found.end() : found.end() + 2])
        body = view[found.end() + 2 : end].tobytes()
        if marker == 0xE1 and body.startswith(orientation.EXIF_HEADER):
            turned = max(turned, orientation.read(body))
        if marker == 0xDA:  # the compressed pixels follow it
            following = _JPEG_MARKER.search(content, end)
            end = following.start() if following else len(content)
        if marker in _JPEG_TABLES_AND_FRAMES or (
            marker in _JPEG_APPLICATION and body.startswith(_JPEG_APPLICATION[marker])
        ):
            kept.append(view[found.start() : end])
        place = end
    return b"".join([b"\xff\xd8", *_with_jpeg_orientation(kept, turned)])


def _with_jpeg_orientation(segments: list[Part], turned: int) -> list[Part]:
    if turned == 1:
        return segments
    body = orientation.EXIF_HEADER + orientation.written(turned)
    exif = b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body
    first = 1 if segments and segments[0][:2] == b"\xff\xe0" else 0  # JFIF comes before it
    return [*segments[:first], exif, *segments[first:]]


def _png(content: bytes) -> bytes:
    view = memoryview(content)
    kept: list[Part] = [_PNG_SIGNATURE]
    turned, place = 1, len(_PNG_SIGNATURE)
    while place + 8 <= len(content):
        length, kind = struct.unpack_from(">I4s", content, place)
        end = place + 12 + length
        if kind == b"eXIf":
            turned = orientation.read(content[place + 8 : end - 4])
        if kind in _PNG_CHUNKS:
            kept.append(view[place:end])
        place = end
        if kind == b"IEND":
            break
    if turned != 1 and len(kept) > 1:
        body = b"eXIf" + orientation.written(turned)
        kept.insert(2, struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body)))
    return b"".join(kept)


def _webp(content: bytes) -> bytes:
    view = memoryview(content)
    kept: list[Part] = []
    turned, place = 1, 12
    end_of_file = min(len(content), 8 + int.from_bytes(content[4:8], "little"))
    while place + 8 <= end_of_file:
        kind, length = struct.unpack_from("<4sI", content, place)
        end = place + 8 + length + length % 2
        if kind == b"EXIF":
            turned = orientation.read(content[place + 8 : place + 8 + length])
        if kind in _WEBP_CHUNKS:
            kept.append(view[place:end])
        place = end
    if kept and kept[0][:4] == b"VP8X" and len(kept[0]) > 8:
        flags = kept[0][8] & ~(_WEBP_EXIF | _WEBP_XMP) | (_WEBP_EXIF if turned != 1 else 0)
        kept[:1] = [kept[0][:8], bytes([flags]), kept[0][9:]]
        if turned != 1:
            exif = orientation.written(turned)
            kept.append(struct.pack("<4sI", b"EXIF", len(exif)) + exif)
    return b"".join([b"RIFF", struct.pack("<I", len(b"WEBP") + sum(map(len, kept))), b"WEBP", *kept])


def _gif(content: bytes) -> bytes:
    return b"".join(_gif_blocks(content))


def _gif_blocks(content: bytes) -> Iterator[Part]:
    view = memoryview(content)
    place = 13 + _gif_colours(content, 10)
    yield view[:place]
    while place < len(content):
        kind, start = content[place], place
        if kind == 0x2C:  # an image
            place = _after_gif_data(content, place + 11 + _gif_colours(content, place + 9))
            yield view[start:place]
        elif kind == 0x21:  # an extension
            label = content[place + 1 : place + 2]
            place = _after_gif_data(content, place + 2)
            if label == b"\xf9" or (label == b"\xff" and content[start + 3 : start + 14] in _GIF_ANIMATION):
                yield view[start:place]
        else:
            if kind == 0x3B:
                yield b"\x3b"
            return


def _gif_colours(content: bytes, place: int) -> int:
    """Bytes of the colour table that the flags at `place` announce."""
    flags = content[place] if place < len(content) else 0
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0


def _after_gif_data(content: bytes, place: int) -> int:
    """Where the blocks that begin at `place` are over; each has its length before it, and an empty one ends them."""
    while place < len(content) and content[place]:
        place += 1 + content[place]
    return place + 1
