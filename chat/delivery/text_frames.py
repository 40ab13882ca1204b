"""WebSocket's text frames as a server writes them, for sockets that take ready-made ones (RFC 6455, 5.2)."""

from struct import pack

FINAL_TEXT = 0x81  # one frame that is a whole message, of text
LENGTH_IN_2_BYTES, LENGTH_IN_8_BYTES = 126, 127  # in the place of lengths from 126 on; they follow


def text_frame(text: bytes) -> bytes:
    """The frame that brings `text`, which is UTF-8. Only clients mask what they send."""
    length = len(text)
    if length < 126:
        return pack("!BB", FINAL_TEXT, length) + text
    if length < 65536:
        return pack("!BBH", FINAL_TEXT, LENGTH_IN_2_BYTES, length) + text
    return pack("!BBQ", FINAL_TEXT, LENGTH_IN_8_BYTES, length) + text


def text_of(frame: bytes) -> str:
    """The text of a frame that `text_frame` has made, for servers that make their own."""
    header = {LENGTH_IN_2_BYTES: 4, LENGTH_IN_8_BYTES: 10}.get(frame[1], 2)  # bytes
    return frame[header:].decode()
