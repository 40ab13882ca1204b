"""Ready-made WebSocket frames, read by the library that the server uses."""

import pytest
from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.protocol import State
from websockets.uri import parse_uri

from chat.delivery.text_frames import text_frame, text_of


def read(data: bytes) -> list[object]:
    """The frames that a client finds in `data`."""
    client = ClientProtocol(parse_uri("ws://localhost/"), state=State.OPEN)
    client.receive_data(data)
    assert client.parser_exc is None
    return list(client.events_received())


@pytest.mark.parametrize("length", [0, 1, 125, 126, 127, 65535, 65536, 300_000])
def test_text_frame_is_one_unmasked_frame_whatever_the_length(length: int) -> None:
    frame = text_frame(b"x" * length)
    assert read(frame + text_frame(b"next")) == [Frame(Opcode.TEXT, b"x" * length), Frame(Opcode.TEXT, b"next")]
    assert text_of(frame) == "x" * length


def test_text_of_returns_the_framed_text_in_any_script() -> None:
    assert text_of(text_frame('{"message":"çağ 🍓 北京"}'.encode())) == '{"message":"çağ 🍓 北京"}'
