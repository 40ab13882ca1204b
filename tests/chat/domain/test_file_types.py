"""Types of files by their content."""

import pytest

from chat.domain.file_types import may_be_picture, media_type

OCTETS = "application/octet-stream"
OGG = b"OggS\x00\x02" + bytes(20) + b"\x01\x1e"


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (b"RIFF\x24\x08\x00\x00WAVEfmt ", "audio/wav"),
        (b"fLaC\x00\x00\x00\x22\x10\x00", "audio/flac"),
        (OGG + b"OpusHead\x01", "audio/ogg"),
        (OGG + b"\x01vorbis", "audio/ogg"),
        (OGG + b"\x80theora", "video/ogg"),
        (b"ID3\x04\x00\x00\x00\x00\x00\x00", "audio/mpeg"),
        (b"\xff\xfb\x90\x64\x00", "audio/mpeg"),
        (b"\xff\xf1\x50\x80\x00", "audio/aac"),
        (b"\x00\x00\x00\x20ftypisom\x00\x00\x02\x00", "video/mp4"),
        (b"\x00\x00\x00\x1cftypM4A \x00\x00\x02\x00", "audio/mp4"),
        (b"\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01\x42\xf7\x81\x01\x42\x82\x84webm", "video/webm"),
        # Files that browsers can't play in a page, and those that might be read as a document.
        (b"\x00\x00\x00\x1cftypheic\x00\x00\x00\x00", OCTETS),
        (b"\x00\x00\x00\x14ftypqt  \x00\x00\x00\x00", OCTETS),
        (b"\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01\x42\x82\x88matroska", OCTETS),
        (b"<!doctype html><script>alert(1)</script>", OCTETS),
        (b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", OCTETS),
        (b"<?xml version='1.0'?><svg/>", OCTETS),
        (b"%PDF-1.7\n1 0 obj<</OpenAction<</S/JavaScript/JS(app.alert(1))>>>>", OCTETS),
        (b"PK\x03\x04\x14\x00", OCTETS),
        (b"\x7fELF\x02\x01", OCTETS),
        (b"\xff\xff\xff\xff", OCTETS),
        (b"OggS", OCTETS),
        (b"RIFF\x24\x08\x00\x00AVI LIST", OCTETS),
        (b"ftyp", OCTETS),
        (b"", OCTETS),
        (b"plain text", OCTETS),
        ("ÿþtext".encode("utf-16"), OCTETS),
    ],
)
def test_media_type_is_that_of_the_first_bytes(head: bytes, expected: str) -> None:
    assert media_type(head) == expected


@pytest.mark.parametrize("head", [b"\xff\xd8\xff\xe0", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"GIF87a", b"RIFFxxxxWEBP"])
def test_only_what_begins_like_a_picture_is_decoded(head: bytes) -> None:
    assert may_be_picture(head)
    assert not may_be_picture(b" " + head)
