"""The parts of a picture's file that are kept, and those that aren't."""

import io
import random
import struct
import tracemalloc

import pytest
from PIL import Image, ImageOps, PngImagePlugin

from chat.pictures.metadata import stripped
from tests.chat.pictures.drawings import PLACE, animation, chunk, exif, picture, png

SIDE = b"<x:xmpmeta>" + PLACE + b"</x:xmpmeta>"


def png_texts() -> PngImagePlugin.PngInfo:
    texts = PngImagePlugin.PngInfo()
    texts.add_text("Location", PLACE.decode())
    texts.add_itxt("XML:com.adobe.xmp", SIDE.decode())
    texts.add_text("Comment", PLACE.decode(), zip=True)
    return texts


def gif_with_notes() -> bytes:
    plain = animation("GIF")
    end = 13 + (3 << (plain[10] & 7) + 1 if plain[10] & 0x80 else 0)
    comment = b"\x21\xfe" + bytes([len(PLACE)]) + PLACE + b"\0"
    xmp = b"\x21\xff\x0bXMP DataXMP" + bytes([len(SIDE)]) + SIDE + b"\0"
    return plain[:end] + comment + xmp + plain[end:]


def webp_with_unknown_chunk() -> bytes:
    plain = picture("WEBP", exif=exif(), xmp=SIDE)
    body = plain[12:] + struct.pack("<4sI", b"GEO ", len(PLACE)) + PLACE + b"\0" * (len(PLACE) % 2)
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body


TELLING = {
    "JPEG with Exif, XMP and a comment": picture("JPEG", exif=exif(), xmp=SIDE, comment=PLACE),
    "progressive JPEG": picture("JPEG", (300, 200), exif=exif(), progressive=True),
    "JPEG in CMYK": picture("JPEG", mode="CMYK", exif=exif(), comment=PLACE),
    "JPEG with another file behind it": picture("JPEG") + b"PK\x03\x04" + PLACE,
    "PNG with texts and Exif": picture("PNG", pnginfo=png_texts(), exif=exif()),
    "PNG with a chunk of its own": png(8, 8, chunk(b"geOg", PLACE), rows=8),
    "PNG with a file behind it": picture("PNG") + b"<script>" + PLACE,
    "WebP with Exif, XMP and a chunk of its own": webp_with_unknown_chunk(),
    "WebP with a file behind it": picture("WEBP") + PLACE,
    "GIF with a comment and XMP": gif_with_notes(),
    "GIF with a file behind it": animation("GIF") + b"<html>" + PLACE,
}


def pixels(content: bytes) -> list[bytes]:
    """All frames, as they are seen."""
    frames = []
    with Image.open(io.BytesIO(content)) as image:
        for number in range(getattr(image, "n_frames", 1)):
            image.seek(number)
            frames.append(ImageOps.exif_transpose(image).convert("RGBA").tobytes())
    return frames


@pytest.mark.parametrize("kind", TELLING)
def test_place_is_removed_and_the_picture_stays(kind: str) -> None:
    assert PLACE in TELLING[kind]

    without = stripped(TELLING[kind])

    assert without is not None
    assert PLACE not in without
    assert b"GPS" not in without
    assert pixels(without) == pixels(TELLING[kind])
    assert stripped(without) == without


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
def test_turned_picture_stays_turned(form: str, orientation: int) -> None:
    content = picture(form, exif=exif(orientation))

    without = stripped(content)

    assert PLACE not in without
    assert pixels(without) == pixels(content)
    with Image.open(io.BytesIO(without)) as image:
        assert dict(image.getexif()) == ({} if orientation == 1 else {0x0112: orientation})


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
def test_colour_profile_is_kept(form: str) -> None:
    profile = b"\0\0\0\x80acsp" + bytes(120)

    with Image.open(io.BytesIO(stripped(picture(form, icc_profile=profile, exif=exif())))) as image:
        assert image.info["icc_profile"] == profile


def test_animation_keeps_its_frames_and_their_time() -> None:
    for form in ("GIF", "WEBP", "PNG"):
        with Image.open(io.BytesIO(stripped(animation(form)))) as image:
            assert image.n_frames == 3
            assert image.info["loop"] == 0


@pytest.mark.parametrize("kind", TELLING)
def test_cut_off_picture_gives_no_error_and_no_place(kind: str) -> None:
    content = TELLING[kind]
    for length in range(12, len(content), max(1, len(content) // 60)):
        assert PLACE not in stripped(content[:length])


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff",
        b"GIF",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"<html>",
        b"RIFF....WAVE",
        b"%PDF-1.7",
        b"BM",
    ],
)
def test_other_files_are_no_pictures(content: bytes) -> None:
    assert stripped(content) is None


def test_damaged_picture_gives_no_error() -> None:

    chance = random.Random(7)
    for content in TELLING.values():
        for _ in range(50):
            broken = bytearray(content)
            for _ in range(8):
                broken[chance.randrange(12, len(broken))] = chance.randrange(256)
            assert stripped(bytes(broken)) is not None


def test_jpeg_of_fill_bytes_is_read_in_no_time() -> None:
    assert stripped(b"\xff\xd8" + b"\xff" * 5_000_000 + b"\0") == b"\xff\xd8"


LARGE = bytes(2_000_000)
LARGE_PICTURES = {
    "JPEG": picture("JPEG")[:-2] + LARGE + b"\xff\xd9",
    "PNG": b"\x89PNG\r\n\x1a\n" + chunk(b"IDAT", LARGE),
    "WebP": b"RIFF" + struct.pack("<I4s4sI", len(LARGE) + 12, b"WEBP", b"VP8 ", len(LARGE)) + LARGE,
    "GIF": b"GIF89a" + bytes(7) + b"\x2c" + bytes(10) + (b"\xff" * 256) * 8_000 + b"\0;",
}


@pytest.mark.parametrize("kind", LARGE_PICTURES)
def test_large_picture_is_copied_once(kind: str) -> None:
    content = LARGE_PICTURES[kind]
    tracemalloc.start()
    try:
        assert stripped(content) == content
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 1.2 * len(content)
