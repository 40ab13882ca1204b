"""At a real server: bytes that no WebSocket library would send, and Schemathesis's tests of the schema."""

import asyncio
import json
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from signal import SIGTERM
from typing import TYPE_CHECKING, Any

import psutil
import pytest
from hypothesis import strategies as st

from tests.chaos.site import WEB, Server
from tests.fuzz.conftest import loud_lines
from tests.fuzz.documents import ROOM
from tests.fuzz.text import json_of, like, texts, values
from tests.fuzz.wire import BINARY, CLOSE, PING, PONG, TEXT, Wire, frame
from tests.servers import ROOT, environment

if TYPE_CHECKING:
    import schemathesis

GROWTH = 24e6  # bytes of memory that the second half of an attack may cost; most of it is the allocator's
INIT = '{"type": "connection_init"}'
ASK = '{"type": "%s", "id": "good", "payload": {"query": "{ __typename }"}}'
CLOSE_CODES = [0, 999, 1000, 1001, 1004, 1005, 1006, 1015, 2999, 3000, 4999, 5000, 65535]

text_frames = st.builds(
    frame,
    st.just(TEXT),
    json_of(like({"message": texts, "type": texts}) | values).map(
        lambda text: text.encode(errors="surrogatepass")  # UTF-8 it is not always
    ),
)
small_frames = st.builds(
    frame,
    st.integers(0, 15) | st.sampled_from([0, TEXT, BINARY, PING, PONG]),
    st.binary(max_size=130),
    final=st.booleans(),
    reserved=st.sampled_from([0, 0, 0, 0, 1, 4, 7]),
    masked=st.sampled_from([True, True, True, False]),
)
control_frames = st.builds(frame, st.sampled_from([PING, PONG]), st.binary(max_size=130))
closes = st.builds(
    lambda code, reason: frame(CLOSE, struct.pack("!H", code) + reason),
    st.sampled_from(CLOSE_CODES),
    st.binary(max_size=125),
) | st.sampled_from([frame(CLOSE, b"\x03"), frame(CLOSE), frame(CLOSE, final=False)])
floods = st.sampled_from(
    [
        frame(PING, b"x" * 125) * 1000,
        frame(PONG) * 1000,
        frame(TEXT, b"", final=False) + frame(0, b"", final=False) * 1000,
    ]
    + [
        frame(TEXT, b"x" * 2_000_000),
        frame(TEXT, b"", length=2**40),
        frame(TEXT, b"", length=2**63),
        frame(BINARY, b"") * 500,
    ]
)
fragmented = st.lists(st.binary(max_size=20), min_size=1, max_size=6).map(
    lambda pieces: b"".join(
        [
            frame(TEXT, b'{"message": "', final=False),
            *(frame(0, piece, final=False) + frame(PING) for piece in pieces),
            frame(0, b'"}'),
        ]
    )
)
bytes_of_frames = st.lists(
    text_frames | small_frames | control_frames | fragmented | closes | floods, min_size=1, max_size=5
)
cut_short = st.builds(lambda some, end: b"".join(some)[:end], bytes_of_frames, st.integers(0, 400))

DOORS: list[tuple[str, str | None, list[str], str, str]] = [
    (f"/ws/chat/{ROOM}/", None, [], '{"message": "", "client_id": "good"}', "good"),
    ("/graphql", "graphql-transport-ws", [INIT], ASK % "subscribe", "__typename"),
    ("/graphql", "graphql-ws", [INIT], ASK % "start", "__typename"),
]
doors = st.integers(0, len(DOORS) - 1).map(DOORS.__getitem__)

LINES = [
    b"GET /ws/chat/a/ HTTP/1.1",
    b"GET /graphql HTTP/1.1",
    b"GET * HTTP/9.9",
    b"POST /graphql HTTP/1.1",
    b"\xff\xfe",
    b"",
]
LINES += [
    b"Host: 127.0.0.1",
    b"Host: a\x00b",
    b"Upgrade: websocket",
    b"Upgrade: h2c",
    b"Connection: Upgrade",
    b": a",
    b"A" * 9000,
]
LINES += [b"Sec-WebSocket-Version: 13", b"Sec-WebSocket-Version: -1", b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA=="]
LINES += [
    b"Sec-WebSocket-Key: short",
    b"Sec-WebSocket-Protocol: graphql-ws, graphql-ws, \xff",
    b"Content-Length: 5",
    b"hello",
]
LINES += [
    b"Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=99",
    b"Transfer-Encoding: chunked",
    b"ffffffff",
]
handshakes = st.lists(st.sampled_from(LINES), max_size=12).map(b"\r\n".join) | st.binary(max_size=60)


@dataclass
class Target:
    """A real server, and how much memory it takes."""

    host: str
    process: psutil.Process

    @property
    def memory(self) -> int:
        return self.process.memory_info().rss


@pytest.fixture
def target(transactional_db: None, tmp_path: Path) -> Iterator[Target]:
    """A server as in the Procfile. It has to end in order, and to have logged neither an error nor a traceback."""
    with (tmp_path / "log").open("w+b") as log:
        server = Server(1, WEB, environment(PATH=f"{ROOT}/.venv/bin:/usr/bin:/bin"), log)
        try:
            asyncio.run(server.start())
            yield Target(server.host, psutil.Process(server.pid))
            asyncio.run(server.stop(SIGTERM))
        finally:
            server.end()
        log.seek(0)
        assert not loud_lines(log.read().decode(errors="replace"))


def in_halves(
    assail: Callable[..., None], target: Target, strike: Callable[[Any], None], share: int, inputs: Any
) -> None:
    """The same attack twice; the second half must not need more memory."""
    assail(strike, share // 2, inputs)
    before = target.memory
    assail(strike, share // 2, inputs)
    assert target.memory - before < GROWTH


def test_server_survives_any_bytes_and_serves_others_meanwhile(target: Target, assail: Callable[..., None]) -> None:
    with Wire(target.host) as bystander:
        bystander.open(f"/ws/chat/{ROOM}/")

        def strike(attack: tuple[tuple[Any, ...], list[bytes]]) -> None:
            (path, subprotocol, hellos, good, mark), frames = attack
            with Wire(target.host) as wire:
                wire.open(path, subprotocol)
                for some in [*(frame(TEXT, hello.encode()) for hello in hellos), *frames]:
                    wire.write(some)
                assert wire.answers(good, mark) or wire.code != 1011

        in_halves(assail, target, strike, 1000, st.tuples(doors, bytes_of_frames))
        assert bystander.answers(json.dumps({"message": "still here"}), "still here")


@pytest.mark.parametrize(
    "bad",
    [frame(3), frame(TEXT, b"\xff"), frame(TEXT, masked=False), frame(PING, b"x" * 126)],
    ids=["unknown", "no UTF-8", "unmasked", "long ping"],  # of their own: frames are masked differently each time
)
def test_answers_to_a_connection_that_the_server_has_ended_log_no_error(target: Target, bad: bytes) -> None:
    for path, subprotocol, hellos, good, _ in DOORS:
        with Wire(target.host) as wire:
            wire.open(path, subprotocol)
            wire.write(b"".join(frame(TEXT, text.encode()) for text in [*hellos, *[good] * 20]) + bad)
            assert not wire.hears("never")
            assert wire.code != 1011


def test_connection_survives_fragmented_texts_with_pings_and_pongs_between(
    target: Target, assail: Callable[..., None]
) -> None:
    """A text in many frames, with others in between, and any number of pings and pongs."""
    pings = st.builds(frame, st.sampled_from([PING, PONG]), st.binary(max_size=125)) | st.just(
        frame(PING, b"x" * 125) * 500
    )

    def strike(attack: tuple[tuple[Any, ...], list[int], list[bytes]]) -> None:
        (path, subprotocol, hellos, good, mark), cuts, between = attack
        with Wire(target.host) as wire:
            wire.open(path, subprotocol)
            for hello in hellos:
                wire.write(frame(TEXT, hello.encode()))
            rest = good.encode()
            for number, cut in enumerate(cuts):
                wire.write(frame(0 if number else TEXT, rest[:cut], final=False) + b"".join(between))
                rest = rest[cut:]
            wire.write(frame(0, rest))
            assert wire.hears(mark)

    assail(
        strike, 400, st.tuples(doors, st.lists(st.integers(0, 20), min_size=1, max_size=6), st.lists(pings, max_size=3))
    )


def test_server_survives_connections_that_end_half_way(target: Target, assail: Callable[..., None]) -> None:
    with Wire(target.host) as bystander:
        bystander.open(f"/ws/chat/{ROOM}/")

        def strike(attack: tuple[tuple[Any, ...], bytes]) -> None:
            (path, subprotocol, *_), some = attack
            with Wire(target.host) as wire:
                if not some.startswith((b"GET", b"POST")):
                    wire.open(path, subprotocol)
                wire.write(some)

        in_halves(assail, target, strike, 600, st.tuples(doors, cut_short | handshakes))
        assert bystander.answers(json.dumps({"message": "still here"}), "still here")


def test_schemathesis_finds_no_error_in_the_schema(target: Target, assail: Callable[..., None]) -> None:
    # Here, because each worker imports each file of tests, and this takes a second.
    import schemathesis
    from schemathesis.checks import not_a_server_error
    from schemathesis.specs.openapi.checks import positive_data_acceptance

    schema = schemathesis.graphql.from_path(ROOT / "gqlchat" / "schema.graphql")
    schema.config.update(base_url=f"http://{target.host}/graphql")
    operations = [found.ok() for found in schema.get_all_operations()]
    cases = st.sampled_from(range(len(operations))).flatmap(lambda number: operations[number].as_strategy())

    def strike(case: "schemathesis.Case") -> None:
        # It takes every error in an answer for the server's, or for its own. The chat's have codes, limits' too.
        answer = case.call_and_validate(excluded_checks=[not_a_server_error, positive_data_acceptance])
        assert answer.status_code < 500
        for error in answer.json().get("errors", ()):
            assert error["extensions"]["code"] != "internal_error", error

    in_halves(assail, target, strike, 400, cases)
