"""Pictures that tests draw, as bytes of files."""

import io
import struct
import zlib

from PIL import Image

PLACE = b"52 deg 31' 12.03\" N"  # in all metadata that tests write


def picture(form: str = "PNG", size: tuple[int, int] = (40, 20), mode: str = "RGB", **options: object) -> bytes:
    """A picture whose upper left quarter is lighter than the rest, so that it shows how it lies."""
    image = Image.new("L", size, 40)
    image.paste(220, (0, 0, size[0] // 2, size[1] // 2))
    return written(image.convert(mode), form, **options)


def written(image: Image.Image, form: str, **options: object) -> bytes:
    content = io.BytesIO()
    image.save(content, form, **options)
    return content.getvalue()


def animation(form: str = "GIF", frames: int = 3, size: tuple[int, int] = (40, 20)) -> bytes:
    images = [Image.new("RGB", size, (number * 7 % 256, 255 - number % 256, 90)) for number in range(frames)]
    return written(images[0], form, save_all=True, append_images=images[1:], duration=40, loop=0)


def exif(orientation: int = 1) -> Image.Exif:
    """Exif as a phone writes it: how the picture is turned, and where it was taken."""
    told = Image.Exif()
    told[0x0112] = orientation
    told[0x010E] = PLACE.decode()  # ImageDescription
    told.get_ifd(0x8825)[2] = (52.0, 31.0, 12.03)  # GPSLatitude
    told.get_ifd(0x8825)[29] = PLACE.decode()  # GPSDateStamp, which is a text
    return told


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(width: int, height: int, *chunks: bytes, rows: int = 1) -> bytes:
    """A PNG that says it has that size, in greys of one bit, and has `rows` rows."""
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    data = zlib.compress(bytes(1 + (width + 7) // 8) * rows, 9)
    parts = [chunk(b"IHDR", header), *chunks, chunk(b"IDAT", data), chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)
