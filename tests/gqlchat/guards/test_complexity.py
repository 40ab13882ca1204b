"""Limits of a document's complexity: the measure itself, and its enforcement at every door."""

import itertools
import json
import time
from typing import Any

import pytest
from channels.testing import HttpCommunicator
from graphql import get_introspection_query, parse
from pytest_django import Settings

from chat.delivery.hub import Hub
from chat.domain.rooms import find
from gqlchat.guards.complexity import Complexity, Pages, measure
from mysite.asgi import application

QUERY = """{
    a: me { name name }
    room(name: "x") { messages { edges { node { user { name @include(if: true) } } } } }
}"""  # 37 tokens
SUBSCRIPTION = """subscription {
    roomMessages(rooms: [{roomName: "x"}]) { a: message message message user { name @include(if: true) } }
}"""  # 33 tokens


@pytest.mark.parametrize(
    ("document", "measured"),
    [
        ("{ me { name } }", (2, 0, 0)),
        ("{ me { name } me { name } }", (2, 1, 0)),
        ("{ a: me { b: name } c: me { name } }", (2, 3, 0)),
        ("{ me { name } ...a ...a } fragment a on Query { b: me { name } }", (2, 2, 0)),
        ("{ ...a } fragment a on Query { ...b } fragment b on Query { me { name } }", (2, 0, 0)),
        ("{ me { ... on Person { ... { name } } } }", (2, 0, 0)),
        ("query @a { me @b { ... @c { name @d } ...x @e } } fragment x on Person @f { name }", (2, 0, 6)),
        ("query ($v: Int @a) { me { name } }", (2, 0, 1)),
        ("{ me { ...a ...a } } fragment a on Person { name @b }", (2, 0, 2)),
        ("{ ...a } fragment a on Query { ...b } fragment b on Query { me { name } ...a }", (2, 0, 0)),
        ("{ ...a }", (0, 0, 0)),
        ("{ me { name } } query b { c: me { name } }", (2, 1, 0)),
        ("{ __schema { types { fields { name } } } }", (1, 0, 0)),
        ("{ __schema { a: types { name } } }", (1, 1, 0)),
        ("fragment a on Query { b: me { name } }", (0, 0, 0)),
        (QUERY, (6, 2, 1)),
    ],
)
def test_measure_counts_depth_aliases_and_directives_through_fragments(
    document: str, measured: tuple[int, int, int]
) -> None:
    assert measure(parse(document)) == Complexity(*measured)


def test_measure_is_quick_for_fragments_that_double_each_other() -> None:
    doubling = "".join(f"fragment f{n} on Query {{ ...f{n + 1} ...f{n + 1} }}" for n in range(60))
    document = parse(f"{{ ...f0 }} {doubling} fragment f60 on Query {{ a: me {{ name @b }} }}")
    began = time.monotonic()
    assert measure(document) == Complexity(2, 2**60, 2**60)
    assert time.monotonic() - began < 2


def test_introspection_query_of_graphiql_is_within_the_limits(settings: Settings) -> None:
    measured = measure(parse(get_introspection_query(), max_tokens=settings.CHAT_QUERY_TOKENS))
    assert measured.depth <= settings.CHAT_QUERY_DEPTH
    assert measured.aliases <= settings.CHAT_QUERY_ALIASES
    assert measured.directives <= settings.CHAT_QUERY_DIRECTIVES


BLANKS = itertools.count(1)
LIMITS = [
    ("CHAT_QUERY_DEPTH", 6, 3, "levels deep"),
    ("CHAT_QUERY_ALIASES", 2, 3, "aliased or repeated"),
    ("CHAT_QUERY_DIRECTIVES", 1, 1, "directives"),
    ("CHAT_QUERY_TOKENS", 37, 33, "tokens"),
]


def listening(room: str) -> int:
    """The number of live listeners of `room`."""
    group = find(room).group
    return len(Hub.here()._feeds[group].listeners) if group in Hub.here()._groups else 0


def unknown(document: str) -> str:
    """The same document with other white space, so that no cache knows it."""
    return document + " " * next(BLANKS)


@pytest.mark.parametrize(("setting", "found", "_", "complaint"), LIMITS)
@pytest.mark.parametrize("spare", [1, 0, -1])
async def test_query_over_http_is_refused_above_each_limit_only(
    settings: Settings, setting: str, found: int, _: int, complaint: str, spare: int
) -> None:
    setattr(settings, setting, found + spare)
    body = json.dumps({"query": unknown(QUERY)}).encode()
    request = HttpCommunicator(application, "POST", "/graphql", body, [(b"content-type", b"application/json")])
    response = await request.get_response(timeout=5)
    answer = json.loads(response["body"])
    assert response["status"] == 200
    assert ("errors" in answer) is (spare < 0)
    if spare < 0:
        (error,) = answer["errors"]
        assert complaint in error["message"]
        assert complaint == "tokens" or error["extensions"] == {"code": "query_too_complex"}


@pytest.mark.parametrize(("setting", "found", "_", "complaint"), LIMITS)
@pytest.mark.parametrize("spare", [1, 0, -1])
async def test_query_over_websocket_is_refused_above_each_limit_and_the_socket_stays_open(
    open_graphql, subprotocol: str, settings: Settings, setting: str, found: int, _: int, complaint: str, spare: int
) -> None:
    graphql = await open_graphql(subprotocol)
    setattr(settings, setting, found + spare)
    await graphql.start(unknown(QUERY))
    if spare < 0:
        frame = await graphql.receive_json_from(timeout=5)
        assert frame["type"] == "error"
        assert complaint in str(frame["payload"])
    else:
        assert "errors" not in await graphql.result()
        assert (await graphql.receive_json_from(timeout=5))["type"] == "complete"
    await graphql.start("{ me { name } }", id="2")
    assert "errors" not in await graphql.result("2")


@pytest.mark.parametrize(("setting", "_", "found", "complaint"), LIMITS)
@pytest.mark.parametrize("spare", [1, 0, -1])
async def test_subscription_is_refused_above_each_limit_only(
    open_graphql,
    foreign_send,
    eventually,
    subprotocol: str,
    settings: Settings,
    setting: str,
    _: int,
    found: int,
    complaint: str,
    spare: int,
) -> None:
    graphql = await open_graphql(subprotocol)
    setattr(settings, setting, found + spare)
    document = unknown(SUBSCRIPTION)
    for id in ("1", "2"):  # the second shares what is kept of the first
        await graphql.start(document, id=id)
        if spare < 0:
            frame = await graphql.receive_json_from(timeout=5)
            assert (frame["type"], frame["id"]) == ("error", id)
            assert complaint in str(frame["payload"])
    if spare >= 0:
        await eventually(lambda: listening("x") == 2)
        await foreign_send("x", message="hi")
        assert {(await graphql.receive_json_from(timeout=5))["id"] for _ in range(2)} == {"1", "2"}


@pytest.mark.parametrize(
    ("document", "variables", "items"),
    [
        ("{ me { name } }", {}, 0),
        ("{ rooms { edges { node { name } } } }", {}, 50),
        ("{ rooms(first: 10) { edges { node { name } } } }", {}, 10),
        ("{ rooms(first: 10) { edges { node { messages(last: 3) { edges { node { id } } } } } } }", {}, 40),
        ('{ room(name: "x") { messages { edges { node { id } } } } }', {}, 50),
        ("query ($n: Int) { rooms(first: $n) { edges { cursor } } }", {"n": 7}, 7),
        ("query ($n: Int = 7) { rooms(first: $n) { edges { cursor } } }", {}, 100),
        ("query ($n: Int) { rooms(first: $n) { edges { cursor } } }", {"n": "many"}, 100),
        ("{ rooms(first: 1000000) { edges { cursor } } }", {}, 100),
        ("{ rooms(first: 101) { edges { cursor } } }", {}, 100),
        ("{ rooms(first: -1) { edges { cursor } } }", {}, 0),
        ("{ rooms(first: null) { edges { cursor } } }", {}, 100),
        ("{ a: rooms(first: 2) { edges { cursor } } b: rooms(first: 3) { edges { cursor } } }", {}, 5),
        ("{ ...a ...a } fragment a on Query { rooms(first: 2) { edges { cursor } } }", {}, 4),
        ("{ ... { ... on Query { rooms(first: 2) { edges { cursor } } } } }", {}, 2),
        ("{ ...a } fragment a on Query { rooms(first: 2) { edges { cursor } } ...a }", {}, 2),
        ("query a { rooms(first: 2) { edges { cursor } } } query b { me { name } }", {}, 2),
        ('{ room(name: "x") { members { role } } }', {}, 100),
        (
            '{ room(name: "x") { messages(last: 100) { edges { node { reactions { people { id } } } } } } }',
            {},
            100 * (1 + 20),
        ),
        ("subscription { roomMessages(rooms: []) { reactions { emoji } } }", {}, 20),
        ("subscription { roomMessages(rooms: []) { attachments { preview { url } } } }", {}, 10),
        ('{ room(name: "x") { bans { id } } }', {}, 100),
        ('{ room(name: "x") { membersConnection { edges { cursor } } } }', {}, 50),
        ('{ room(name: "x") { bansConnection(first: 7) { edges { cursor } } } }', {}, 7),
        ("{ rooms(first: 10) { edges { node { a: members { role } b: bans { id } } } } }", {}, 10 * 201),
        ("{ rooms(first: 10) { edges { node { membersConnection(first: 3) { edges { cursor } } } } } }", {}, 40),
    ],
)
def test_pages_counts_the_items_of_all_pages_of_a_document(
    document: str, variables: dict[str, Any], items: int
) -> None:
    assert Pages(parse(document), variables).document() == items


@pytest.mark.parametrize("spare", [1, 0, -1])
async def test_query_is_refused_above_the_limit_of_items_only(
    open_graphql, subprotocol: str, settings: Settings, spare: int
) -> None:
    settings.CHAT_QUERY_NODES = 20 * 21 + spare
    query = "query ($n: Int!) { rooms(first: $n) { edges { node { messages(last: 20) { edges { cursor } } } } } }"
    graphql = await open_graphql(subprotocol)
    await graphql.start(query, {"n": 20})
    if spare < 0:
        assert "420 items" in str(await graphql.receive_json_from(timeout=5))
    else:
        assert "errors" not in await graphql.result()


@pytest.mark.parametrize(
    ("document", "complaint"),
    [
        ("{ ...a } fragment a on Query { ...b } fragment b on Query { ...a }", "Cannot spread fragment"),
        ("{ ...a } fragment a on Query { ...a }", "Cannot spread fragment"),
        ("{" + "__typename " * 400 + "}", "repeated"),
        ("{" + "me { name } " * 100 + "}", "repeated"),
        ("{" + " ".join(f"a{n}: __typename" for n in range(100)) + "}", "aliased"),
        ("{ __typename " + "@aa" * 10 + " }", "directives"),
        ("{" + "a " * 600, "tokens"),
        ("{" * 400, "Syntax Error"),
        ("{ me(a: " + "[" * 400, "Syntax Error"),
        ("{ __schema { types { fields { type { fields { type { fields { type { name } } } } } } } } }", "Maximum"),
    ],
)
async def test_malicious_documents_get_a_single_error(
    open_graphql, settings: Settings, document: str, complaint: str
) -> None:
    settings.CHAT_INTROSPECTION = True
    graphql = await open_graphql()
    await graphql.start(document)
    frame = await graphql.receive_json_from(timeout=5)
    assert frame["type"] == "error"
    assert complaint in frame["payload"][0]["message"]
    assert len(frame["payload"]) == 1
