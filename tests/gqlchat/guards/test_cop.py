"""The checks of graphql-cop (https://github.com/dolevf/graphql-cop) find nothing on a site in production."""

import re
from typing import Any
from urllib.parse import quote

import pytest
from channels.testing import HttpCommunicator, WebsocketCommunicator
from pytest_django import Settings

from mysite.asgi import application
from tests.gqlchat.transport.test_http import request

INTROSPECTION = "query cop { __schema { types { name fields { name } } } }"
CIRCLE = "query cop { __schema { types { fields { type { fields { type { fields { type { name } } } } } } } } }"


@pytest.fixture(autouse=True)
def production(settings: Settings) -> None:
    settings.CHAT_GRAPHIQL = settings.CHAT_INTROSPECTION = False


async def by_get(query: str) -> tuple[int, dict[str, Any]]:
    return await request(method="GET", path=f"/graphql?query={quote(query)}")


def refused_introspection(answer: dict[str, Any]) -> bool:
    return not answer.get("data") and "introspection has been disabled" in answer["errors"][0]["message"]


async def test_introspection_by_post_is_refused_in_production() -> None:
    assert refused_introspection((await request({"query": INTROSPECTION}))[1])


async def test_circular_introspection_is_refused_in_production() -> None:
    _, answer = await request({"query": CIRCLE})
    assert answer["data"] is None
    assert "introspection" in answer["errors"][0]["message"]


async def test_introspection_by_get_is_refused_in_production() -> None:
    assert refused_introspection((await by_get(INTROSPECTION))[1])


async def test_introspection_over_websocket_is_refused_in_production(open_graphql, subprotocol: str) -> None:
    graphql = await open_graphql(subprotocol)
    await graphql.start(INTROSPECTION)
    frame = await graphql.receive_json_from(timeout=5)
    assert frame["type"] == "error"
    assert "introspection has been disabled" in str(frame["payload"])
    await graphql.join("room1", id="2")


async def test_introspection_in_a_subscription_is_refused_in_production(open_graphql, subprotocol: str) -> None:
    graphql = await open_graphql(subprotocol)
    hear = 'roomMessages(rooms: [{roomName: "room1"}])'
    for selection in [
        "__schema { types { name } }",
        f"{hear} {{ message }} __schema {{ types {{ name }} }}",
        f"{hear} {{ message __schema {{ types {{ name }} }} }}",
        f'{hear} {{ __type(name: "Query") {{ name }} }}',
    ]:
        await graphql.start(f"subscription {{ {selection} }}")
        frame = await graphql.receive_json_from(timeout=5)
        assert frame["type"] == "error"
        assert re.search("introspection|Cannot query field '__|must select only one", str(frame["payload"]))


@pytest.mark.parametrize(
    ("query", "variables"),
    [
        ("query cop { __schema { directive } }", None),
        ("{ mee { id } }", None),
        ("{ me { idd } }", None),
        ('{ room(naem: "room1") { name } }', None),
        ("mutation ($i: PostMessageInputt!) { postMessage(input: $i) { error { code } } }", None),
        (
            "mutation ($i: PostMessageInput!) { postMessage(input: $i) { error { code } } }",
            {"i": {"roomName": "room1", "mesage": "hi"}},
        ),
        ('mutation { postMessage(input: {roomName: "room1", mesage: "hi"}) { error { code } } }', None),
    ],
)
async def test_errors_suggest_names_only_when_introspection_is_on(
    settings: Settings, query: str, variables: dict | None
) -> None:
    _, answer = await request({"query": query, "variables": variables})
    assert answer["errors"][0]["message"]
    assert "Did you mean" not in str(answer)
    settings.CHAT_INTROSPECTION = True
    _, answer = await request({"query": f"{query} # again", "variables": variables})
    assert "Did you mean" in str(answer)


async def test_errors_over_websocket_suggest_no_names_in_production(open_graphql, subprotocol: str) -> None:
    graphql = await open_graphql(subprotocol)
    for query in ["{ mee { id } }", "subscription { roomMesages { message } }"]:
        await graphql.start(query)
        payload = str((await graphql.receive_json_from(timeout=5))["payload"])
        assert "Cannot query field" in payload
        assert "Did you mean" not in payload


async def test_array_of_queries_is_refused() -> None:
    status, answer = await request([{"query": "query cop { __typename }"}] * 10)
    assert (status, set(answer)) == (400, {"errors"})


async def test_mutation_by_get_is_refused_with_405() -> None:
    status, answer = await by_get("mutation cop { __typename }")
    assert (status, set(answer)) == (405, {"errors"})


async def test_form_encoded_post_is_refused_with_415() -> None:
    body = f"query={quote('query cop { __typename }')}"
    status, answer = await request(body, content_type="application/x-www-form-urlencoded")
    assert (status, set(answer)) == (415, {"errors"})


async def test_apollo_tracing_is_ignored() -> None:
    _, answer = await request({"query": "query cop { __typename }"}, x_apollo_tracing="1")
    assert answer == {"data": {"__typename": "Query"}}


@pytest.mark.parametrize("path", ["/graphql", "/graphiql", "/playground", "/console", "/", "/altair", "/voyager"])
async def test_no_path_serves_graphiql_in_production(path: str) -> None:
    headers = [(b"accept", b"text/html"), (b"host", b"localhost")]
    response = await HttpCommunicator(application, "GET", path, headers=headers).get_response(timeout=5)
    assert response["status"] in {302, 400, 404}
    assert b"graphiql.js" not in response["body"]


async def test_errors_hold_no_debug_information() -> None:
    for query in ["qwerty cop { abc }", "query cop { abc }"]:
        _, answer = await request({"query": query})
        assert [set(error) for error in answer["errors"]] == [{"message", "locations"}]


async def test_legacy_subprotocol_is_refused_when_switched_off(settings: Settings, open_graphql) -> None:
    settings.CHAT_LEGACY_GRAPHQL_WS = False
    socket = WebsocketCommunicator(application, "/graphql", subprotocols=["graphql-ws"])
    await socket.connect(timeout=5)
    assert (await socket.receive_output(timeout=5))["code"] == 4406
    await socket.disconnect()
    both = WebsocketCommunicator(application, "/graphql", subprotocols=["graphql-ws", "graphql-transport-ws"])
    assert await both.connect(timeout=5) == (True, "graphql-transport-ws")
    await both.disconnect()


async def test_introspection_and_graphiql_work_when_switched_on(settings: Settings) -> None:
    settings.CHAT_GRAPHIQL = settings.CHAT_INTROSPECTION = True
    assert "errors" not in (await request({"query": INTROSPECTION}))[1]
    page = await HttpCommunicator(application, "GET", "/graphql", headers=[(b"accept", b"text/html")]).get_response()
    assert b"graphiql" in page["body"]
    assert page["status"] == 200


OVERLOADED = {
    "aliases": " ".join(f"alias{number}: __typename" for number in range(101)),
    "directives": f"__typename {'@aa' * 10}",
    "known directives": f"__typename {'@include(if: true)' * 10}",
    "fields": "__typename " * 500,
}


@pytest.mark.parametrize("selection", OVERLOADED.values(), ids=OVERLOADED.keys())
async def test_overloaded_documents_get_a_single_error(open_graphql, subprotocol: str, selection: str) -> None:
    query = f"query cop {{ {selection} }}"
    _, answer = await request({"query": query})
    assert answer["data"] is None
    assert len(answer["errors"]) == 1, "each is found, which costs as much as it is to do it"
    graphql = await open_graphql(subprotocol)
    await graphql.start(query)
    assert (await graphql.receive_json_from(timeout=5))["type"] == "error"
