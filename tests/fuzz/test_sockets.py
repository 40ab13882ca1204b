"""Frames at the browser's socket and at both of GraphQL's."""

import itertools
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import strategies as st

from chat.received_frames import PURPOSES
from mysite.asgi import application
from tests.conftest import ChatSocket, GraphQLSocket
from tests.fuzz.documents import OWN_ROOM, ROOM, payloads
from tests.fuzz.room import Attacker, Room
from tests.fuzz.text import json_of, like, texts, values

PROTOCOLS = {"graphql-transport-ws": ("subscribe", "complete"), "graphql-ws": ("start", "stop")}
IDS = st.sampled_from(["1", "2", "3"])
ALL = "?with=edits,reactions,presence,typing,html,rooms"  # an attacker wants to be sent everything
binary = st.binary(max_size=40)

browser_frame = {
    "message": texts,
    "client_id": texts,
    "reply_to": st.integers(0, 100) | values,
    "before": st.integers(0, 100),
    "after": st.integers(0, 100),
    "edit": st.integers(0, 100),
    "delete": st.integers(0, 100),
    "versions": st.integers(0, 100),
    "react": st.integers(0, 100),
    "emoji": st.sampled_from(["👍", "❤", "1", "👍👍"]) | texts,
    "on": st.booleans() | values,
    "typing": st.booleans() | values,
    "visible": st.booleans() | values,
    "complete": texts,
    "read": st.integers(0, 100),
    "unread": st.integers(0, 100),
    "read_all": values,
    "involvement": st.sampled_from(["all", "mentions", "nothing"]) | texts,
    "room": st.sampled_from([ROOM, OWN_ROOM, f"@{'0' * 32}"]) | texts,
    "leave": st.sampled_from([ROOM, OWN_ROOM]) | texts,
    "report": st.integers(0, 100),
    "reason": texts,
    "reports": values,
    "dismiss": st.integers(0, 100),
    "ignore": st.sampled_from(["user-1", "user-2", "guest-0000000000000000"]) | texts,
    "me": values,
    "remove_preview": st.integers(0, 100),
    "url": texts,
    "ping": st.integers() | values,
    "request": texts,
}
one_purpose = st.sampled_from([*browser_frame]).flatmap(lambda key: st.fixed_dictionaries({key: browser_frame[key]}))
browser_frames = json_of(like(browser_frame) | one_purpose | values) | binary


def graphql_frames(start: str, end: str) -> st.SearchStrategy[Any]:
    kinds = st.sampled_from(
        [start, start, end, "connection_init", "ping", "pong", "connection_terminate", "next", "ka"]
    )
    payload = like({"query": texts, "variables": values, "operationName": texts, "extensions": values})
    return json_of(like({"type": kinds | texts, "id": IDS | texts, "payload": payload}) | values) | binary


def test_frames_for_each_purpose_are_thrown() -> None:
    assert {*PURPOSES} <= browser_frame.keys()


def test_browser_socket_survives_any_frame(transactional_db: None, assail: Callable[..., None]) -> None:
    with Room() as room:
        path = f"/ws/chat/{ROOM}/{ALL}"
        attacker = Attacker(room, lambda: ChatSocket(application, path, room.headers), None, allowed=set())
        numbers = itertools.count()

        def strike(frame: str | bytes) -> None:
            id = f"good {next(numbers)}"
            good = json.dumps({"message": "", "client_id": id})
            room.runner.run(attacker.throw([frame], good, lambda answer: answer.get("client_id") == id))

        assail(strike, 2500, browser_frames)
        room.runner.run(attacker.leave())


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_graphql_socket_survives_any_frame(transactional_db: None, assail: Callable[..., None], protocol: str) -> None:
    with Room() as room:
        strike, leave = graphql_attack(room, protocol)
        assail(lambda frame: strike([frame]), 1500, graphql_frames(*PROTOCOLS[protocol]))
        leave()


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_graphql_socket_survives_any_operation(
    transactional_db: None, assail: Callable[..., None], protocol: str
) -> None:
    start, _ = PROTOCOLS[protocol]
    with Room() as room:
        strike, leave = graphql_attack(room, protocol)
        frames = payloads.map(lambda payload: json.dumps({"type": start, "id": "1", "payload": payload}))
        assail(lambda frame: strike([frame]), 400, frames)
        leave()


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_graphql_socket_survives_operations_that_race_each_other(
    transactional_db: None, assail: Callable[..., None], protocol: str
) -> None:
    start, end = PROTOCOLS[protocol]
    listen = {"query": f'subscription {{ joinChatRooms(rooms: [{{roomName: "{ROOM}"}}], user: "a") {{ message }} }}'}
    ask = {"query": "{ me { name } }"}
    frames = st.builds(
        lambda kind, id, payload: json.dumps({"type": kind, "id": id, "payload": payload}),
        st.sampled_from([start, start, end]),
        IDS,
        st.sampled_from([listen, listen, ask]),
    )
    with Room() as room:
        strike, leave = graphql_attack(room, protocol)
        assail(strike, 300, st.lists(frames, min_size=2, max_size=12))
        leave()


def graphql_attack(room: Room, protocol: str) -> tuple[Callable[[list[str | bytes]], None], Callable[[], None]]:
    """To throw frames at a socket of GraphQL, whose operations end after each strike; and to leave it."""
    start, end = PROTOCOLS[protocol]

    def open() -> ChatSocket:
        return GraphQLSocket(  # type: ignore[return-value]
            application, "/graphql", headers=room.headers, protocol=protocol, subprotocols=[protocol]
        )

    # 1002: no text, in the old protocol. 4400: not a frame of the protocol. 4409, 4429: an id, an init twice.
    allowed = {4400, 4409, 4429} if protocol == "graphql-transport-ws" else {1000, 1002}
    attacker = Attacker(room, open, json.dumps({"type": "connection_init"}), allowed)
    numbers = itertools.count()

    def strike(frames: list[str | bytes]) -> None:
        id = f"good {next(numbers)}"
        ends = [json.dumps({"type": end, "id": one}) for one in "123"]
        good = json.dumps({"type": start, "id": id, "payload": {"query": "{ __typename }"}})
        is_answer = lambda answer: answer.get("id") == id and "__typename" in str(answer)  # noqa: E731
        room.runner.run(attacker.throw([*frames, *ends], good, is_answer))

    return strike, lambda: room.runner.run(attacker.leave())
