"""Types of files, by their first bytes and never by their names.

Only what browsers play as it is, and as nothing else, has a type here. Pictures have theirs from the process that
decodes them. All others are octets, which are saved and never shown: a page in HTML or SVG could act as the site's own.
"""

import re

from chat.domain.files import OCTETS

HEAD_BYTES = 4096  # of a file's beginning: as much as `media_type` looks at

MP4_BRANDS = {
    b"isom",
    b"iso2",
    b"iso4",
    b"iso5",
    b"iso6",
    b"mp41",
    b"mp42",
    b"avc1",
    b"dash",
    b"M4V ",
    b"M4VH",
    b"MSNV",
}
AUDIO_BRANDS = {b"M4A ", b"M4B "}
# MPEG audio, layer III: the sync bits of a frame, a bit rate and a sampling frequency that exist. Or a tag before it.
MP3 = re.compile(rb"ID3[\x02-\x04][\x00-\xfe]|\xff[\xf2\xf3\xfa\xfb][\x10-\xeb]", re.DOTALL)
ADTS = re.compile(rb"\xff[\xf0\xf1\xf8\xf9]", re.DOTALL)
SIGNATURES = (
    (re.compile(rb"RIFF.{4}WAVE", re.DOTALL), "audio/wav"),
    (re.compile(rb"fLaC\x00\x00\x00\x22", re.DOTALL), "audio/flac"),
    (re.compile(rb"OggS\x00.{0,100}?\x80theora", re.DOTALL), "video/ogg"),
    (re.compile(rb"OggS\x00.{0,100}?(?:OpusHead|\x01vorbis|\x7fFLAC|Speex)", re.DOTALL), "audio/ogg"),
    (re.compile(rb"\x1a\x45\xdf\xa3.{0,60}?\x42\x82.webm", re.DOTALL), "video/webm"),
    (MP3, "audio/mpeg"),
    (ADTS, "audio/aac"),
)
PICTURES = re.compile(rb"\xff\xd8\xff|\x89PNG\r\n\x1a\n|GIF8[79]a|RIFF.{4}WEBP", re.DOTALL)


def may_be_picture(head: bytes) -> bool:
    """Whether it is worth the effort to decode a file that begins so."""
    return PICTURES.match(head) is not None


def media_type(head: bytes) -> str:
    """The type of an audio file or a video that pages may play, by its beginning; `OCTETS` for all others."""
    if head[4:8] == b"ftyp":
        brand = head[8:12]
        return "audio/mp4" if brand in AUDIO_BRANDS else "video/mp4" if brand in MP4_BRANDS else OCTETS
    return next((name for signature, name in SIGNATURES if signature.match(head)), OCTETS)
