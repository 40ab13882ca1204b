"""Bodies of requests: read to a limit of their length, and one of their time."""

import asyncio
from collections.abc import Iterable
from typing import Any

import pytest
from asgiref.testing import ApplicationCommunicator

from chat.connections import bodies
from chat.connections.bodies import BodyTooLong, BodyTooSlow, again, read_body
from chat.domain.grants import Scope
from mysite.asgi import application
from tests.tokens import program

LENGTH = b"content-length"


def sending(messages: Iterable[dict[str, Any]]) -> Any:
    """A `receive` that gives these messages, and then nothing more."""
    left = iter(messages)

    async def receive() -> Any:
        message = next(left, None)
        if message is None:
            await asyncio.Event().wait()
        return message

    return receive


def pieces(*parts: bytes, ended: bool = True) -> Any:
    last = len(parts) - 1 if ended else None
    return sending({"type": "http.request", "body": p, "more_body": nth != last} for nth, p in enumerate(parts))


async def read(receive: Any, *headers: tuple[bytes, bytes]) -> bytes:
    scope: Any = {"type": "http", "headers": headers}
    return await read_body(scope, receive, 4)


@pytest.mark.parametrize("parts", [[b""], [b"abcd"], [b"ab", b"", b"cd"], [b"", b""]])
async def test_body_may_come_in_pieces_up_to_the_limit(parts: list[bytes]) -> None:
    assert await read(pieces(*parts)) == b"".join(parts)


async def test_body_may_be_left_out() -> None:
    assert await read(sending([{"type": "http.request"}])) == b""


async def test_long_body_is_refused_before_its_end() -> None:
    with pytest.raises(BodyTooLong):
        await read(pieces(b"abc", b"de", ended=False))


@pytest.mark.parametrize("length", [b"5", b"9" * 18, b"9" * 5000])
async def test_body_that_is_announced_to_be_long_is_refused_at_once(length: bytes) -> None:
    with pytest.raises(BodyTooLong):
        await read(sending([]), (LENGTH, length))


@pytest.mark.parametrize("length", [b"", b"-1", b"x", b"\xd9\xa3", b"1e9"])
async def test_length_that_makes_no_sense_is_passed_over(length: bytes) -> None:
    assert await read(pieces(b"ab"), (LENGTH, length)) == b"ab"


async def test_body_without_an_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "READ_TIMEOUT", 0.01)
    with pytest.raises(BodyTooSlow):
        await read(pieces(b"a", ended=False))


async def test_body_that_is_cut_off_is_none() -> None:
    cut = [{"type": "http.request", "body": b"a", "more_body": True}, {"type": "http.disconnect"}]
    with pytest.raises(BodyTooSlow):
        await read(sending(cut))


async def test_body_that_was_read_is_received_once_more_before_what_follows() -> None:
    receive = again(b"ab", sending([{"type": "http.disconnect"}]))
    assert await read(receive) == b"ab"
    assert (await receive())["type"] == "http.disconnect"


async def test_each_door_gives_up_a_body_without_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "READ_TIMEOUT", 0.01)
    token = await program(scopes=[Scope.WRITE], rooms=["room1"])
    for path, accept in [
        ("/graphql", b"application/json"),
        ("/graphql", b"text/event-stream"),
        ("/chat/room1/events/", b"text/event-stream"),
        (f"/hooks/{token.secret}/", b"*/*"),
    ]:
        headers = [(b"host", b"testserver"), (b"content-type", b"application/json"), (b"accept", accept)]
        request = {"type": "http", "method": "POST", "path": path, "query_string": b"", "headers": headers}
        client = ApplicationCommunicator(application, request)
        await client.send_input({"type": "http.request", "body": b"{", "more_body": True})
        assert (await client.receive_output(10))["status"] == 408, path
        await client.send_input({"type": "http.disconnect"})
        await client.wait(10)
