"""GraphQL over HTTP: requests and their answers."""

import json
from typing import Any
from urllib.parse import quote

import pytest
from channels.testing import HttpCommunicator
from pytest_django import Settings

from mysite.asgi import application
from tests.tokens import program

ECHO = 'mutation echo { sendChatMessage(message: "hello room 1", room: { roomName: "room1" }) }'
LISTEN = 'subscription S { roomMessages(rooms: [{roomName: "room1"}]) { message } }'
WHO = "{ me { id name } }"
MUST_NAME = "Must provide operation name if query contains multiple operations."
SAY = "mutation ($room: String!, $message: String!) { sendChatMessage(room: {roomName: $room}, message: $message) }"


async def request(
    body: bytes | str | dict | list | None = None, method: str = "POST", path: str = "/graphql", **headers: str
) -> tuple[int, dict[str, Any]]:
    if isinstance(body, dict | list):
        body = json.dumps(body)
    content = body.encode() if isinstance(body, str) else body or b""
    headers = {"content_type": "application/json", "accept": "application/json"} | headers
    sent = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    response = await HttpCommunicator(application, method, path, content, sent).get_response(timeout=5)
    return response["status"], json.loads(response["body"])


async def test_mutation_of_the_guide_posts_and_returns_null(open_chat) -> None:
    browser = await open_chat("/ws/chat/room1/")
    assert await request({"query": ECHO}) == (200, {"data": {"sendChatMessage": None}})
    assert await browser.hear() == "hello room 1"


@pytest.mark.parametrize("path", ["/graphql", "/graphql/", "/graphql?x=1"])
async def test_graphql_answers_with_and_without_a_trailing_slash(path: str) -> None:
    assert (await request({"query": "{ me { isGuest } }"}, path=path)) == (200, {"data": {"me": {"isGuest": True}}})


@pytest.mark.parametrize(
    ("room", "message", "code"),
    [
        ("", "hi", "invalid_room_name"),
        (" ", "hi", "invalid_room_name"),
        ("x" * 101, "hi", "invalid_room_name"),
        ("a\tb", "hi", "invalid_room_name"),
        ("..", "hi", "invalid_room_name"),
        ("room1", "", "blank_message"),
        ("room1", " \n ", "blank_message"),
        ("room1", "x" * 4001, "message_too_long"),
        ("room1", "\ud800", "invalid_message"),
        ("room1", "a\0b", "invalid_message"),
        ("\ud800", "a", "invalid_room_name"),
    ],
)
async def test_invalid_message_or_room_is_an_error_with_a_code(room: str, message: str, code: str) -> None:
    status, answer = await request({"query": SAY, "variables": {"room": room, "message": message}})
    assert status == 200
    assert [error["extensions"] for error in answer["errors"]] == [{"code": code}]


async def test_guest_gets_login_required_when_guests_are_not_allowed(settings: Settings) -> None:
    settings.CHAT_GUESTS = False
    _, answer = await request({"query": ECHO})
    assert answer["errors"][0]["extensions"] == {"code": "login_required"}


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        (b"", "Unable to parse request body as JSON"),
        (b"nonsense", "Unable to parse request body as JSON"),
        (b"\xff\xfe", "JSON"),
        ("[" * 20_000, "JSON"),
        ("9" * 5000, "JSON"),  # more digits than Python reads
        ("7", "no JSON object"),
        ("null", "no JSON object"),
        ('"text"', "no JSON object"),
        ("[]", "Batching is not enabled"),
        ([{"query": "{ me { id } }"}], "Batching is not enabled"),
        ("[7]", "Batching is not enabled"),
        ({}, "No GraphQL query found"),
        ({"query": None}, "No GraphQL query found"),
        ({"query": 7}, "`query` must be a string"),
        ({"query": "{ me { id } }", "variables": []}, "`variables` must be an object"),
        ({"query": "{ me { id } }", "extensions": 7}, "`extensions` must be an object"),
        ({"query": "query A { me { id } }", "operationName": "B"}, 'Unknown operation named "B"'),
        ({"query": "query A { me { id } }", "operationName": {"a": 1}}, "Unknown operation named"),
        ({"query": 'subscription { joinChatRooms(rooms: [], user: "u") { id } }'}, "subscriptions are not allowed"),
    ],
)
async def test_malformed_request_is_answered_with_400_and_errors(body: Any, complaint: str) -> None:
    status, answer = await request(body)
    assert status == 400
    assert complaint in answer["errors"][0]["message"]


SEVERAL = f"{ECHO} query Who {{ me {{ isGuest }} }}"


@pytest.mark.parametrize("name", [{}, {"operationName": None}, {"operationName": ""}])
async def test_document_of_several_operations_without_operation_name_is_refused(open_chat, name: dict) -> None:
    browser = await open_chat("/ws/chat/room1/")
    for document in [SEVERAL, "query A { me { id } } query B { me { id } }", "query A { me { id } } " + LISTEN]:
        status, answer = await request({"query": document} | name)
        assert (status, answer) == (400, {"errors": [{"message": MUST_NAME}]})
        assert await request(method="GET", path=f"/graphql?query={quote(document)}&operationName=") == (status, answer)
    await browser.say("the first that is heard")
    assert await browser.hear() == "the first that is heard"


async def test_document_of_several_operations_runs_the_named_one(open_chat) -> None:
    browser = await open_chat("/ws/chat/room1/")
    assert (await request({"query": SEVERAL, "operationName": "Who"}))[1] == {"data": {"me": {"isGuest": True}}}
    path = f"/graphql?query={quote(SEVERAL)}&operationName="
    assert (await request(method="GET", path=path + "Who")) == (200, {"data": {"me": {"isGuest": True}}})
    assert (await request(method="GET", path=path + "echo"))[0] == 405
    assert (await request({"query": SEVERAL, "operationName": "echo"}))[1] == {"data": {"sendChatMessage": None}}
    assert await browser.hear() == "hello room 1"


@pytest.mark.parametrize("document", ["{ me { isGuest } }", "query Who { me { isGuest } }"])
async def test_empty_operation_name_counts_as_none(document: str) -> None:
    assert await request({"query": document, "operationName": ""}) == (200, {"data": {"me": {"isGuest": True}}})


PROBE = {
    "persistedQuery": {"version": 1, "sha256Hash": "ecf4edb46db40b5132295c0291d62fb65d6759a9eedfa4d5d612dd5ec54a6b38"}
}


@pytest.mark.parametrize("accept", ["application/json", "*/*", "text/html", "application/graphql-response+json"])
async def test_persisted_query_hash_alone_is_answered_as_not_supported(accept: str) -> None:
    status = 400 if "graphql" in accept else 200
    error = {"message": "PersistedQueryNotSupported", "extensions": {"code": "PERSISTED_QUERY_NOT_SUPPORTED"}}
    expected = (status, {"errors": [error]})
    assert await request({"operationName": "Who", "variables": {}, "extensions": PROBE}, accept=accept) == expected
    path = f"/graphql?operationName=Who&variables=%7B%7D&extensions={quote(json.dumps(PROBE))}"
    assert await request(method="GET", path=path, accept=accept) == expected


async def test_document_with_its_persisted_query_hash_is_run() -> None:
    asked = {"query": "{ me { isGuest } }", "extensions": PROBE}
    assert await request(asked) == (200, {"data": {"me": {"isGuest": True}}})


@pytest.mark.parametrize("query", ["{", "query ($a: Nope) { me { id } }"])
async def test_query_in_the_url_opens_graphiql_for_browsers_and_json_for_programs(
    settings: Settings, query: str
) -> None:
    chromium = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"
    axios = "application/json, text/plain, */*"
    for accept, graphiql, shown in [
        (chromium, True, True),
        ("text/html", True, True),
        (chromium, False, False),
        (axios, True, False),
        ("*/*", True, False),
        ("", True, False),
        ("application/json;q=0.9, text/html;q=0.5", True, False),
        ("application/graphql-response+json, text/html;q=0.5", True, False),
    ]:
        settings.CHAT_GRAPHIQL = graphiql
        headers = [(b"accept", accept.encode())]
        path = f"/graphql?query={quote(query)}&variables=nonsense"
        response = await HttpCommunicator(application, "GET", path, b"", headers).get_response(timeout=5)
        content_type = dict(response["headers"])[b"Content-Type"]
        assert content_type.startswith(b"text/html") is shown, accept
        assert response["status"] == (200 if shown else 400), accept


async def page(**headers: str) -> dict[bytes, bytes]:
    """The headers of the answer with GraphiQL's page."""
    sent = [(name.encode(), value.encode()) for name, value in {"accept": "text/html", **headers}.items()]
    response = await HttpCommunicator(application, "GET", "/graphql", b"", sent).get_response(timeout=5)
    assert (response["status"], b"graphiql.js" in response["body"]) == (200, True)
    return {name.lower(): value for name, value in response["headers"]}


async def test_page_of_graphiql_begins_the_session_of_one_guest_for_http_and_websocket(
    open_graphql: Any, settings: Settings
) -> None:
    settings.CHAT_GRAPHIQL = True
    answered = await page()
    cookie = answered[b"set-cookie"].split(b";")[0]
    assert (answered[b"cache-control"], answered[b"vary"]) == (b"no-store", b"Accept, Cookie")
    assert b"set-cookie" not in await page(cookie=cookie.decode())  # it is the same later on

    _, over_http = await request({"query": WHO}, cookie=cookie.decode())
    socket = await open_graphql(headers=[(b"cookie", cookie)])
    await socket.subscribe(WHO)
    over_socket = (await socket.receive_json_from(timeout=5))["payload"]

    assert over_socket["data"] == over_http["data"]


async def test_page_of_graphiql_begins_no_session_where_no_guest_has_one(
    settings: Settings, transactional_db: None
) -> None:
    settings.CHAT_GRAPHIQL = True
    assert b"set-cookie" not in await page(authorization=(await program()).authorization)
    settings.CHAT_GUESTS = False
    assert b"set-cookie" not in await page()


@pytest.mark.parametrize("query", ["{ nope }", "{", "query ($a: Nope) { me { id } }"])
async def test_invalid_query_is_answered_with_200_and_errors_as_json(query: str) -> None:
    status, answer = await request({"query": query})
    assert status == 200
    assert answer["data"] is None
    assert answer["errors"][0]["message"]


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "text/plain; application/json",
        "text/plain+application/json",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "",
    ],
)
async def test_content_types_that_forms_can_send_are_refused(content_type: str) -> None:
    status, answer = await request({"query": ECHO}, content_type=content_type)
    assert (status, answer["errors"][0]["message"]) == (415, "Send JSON, with Content-Type: application/json.")


async def test_content_type_json_with_a_charset_is_accepted() -> None:
    assert (await request({"query": "{ __typename }"}, content_type="Application/JSON; charset=utf-8"))[0] == 200


async def test_mutation_by_get_is_refused_with_405() -> None:
    status, answer = await request(method="GET", path=f"/graphql?query={quote(ECHO)}")
    assert (status, answer["errors"][0]["message"]) == (405, "mutations are not allowed when using GET")


@pytest.mark.parametrize(
    ("accept", "content_type", "status"),
    [
        ("", "application/json", 200),
        ("*/*", "application/json", 200),
        ("text/html", "application/json", 200),
        ("application/json", "application/json", 200),
        ("application/json;q=0.9, application/graphql-response+json;q=0.5", "application/json", 200),
        ("text/html," * 1000 + "application/graphql-response+json", "application/json", 200),
        ("application/graphql-response+json", "application/graphql-response+json", 400),
        ("application/graphql-response+json, application/json;q=0.9", "application/graphql-response+json", 400),
        ("text/html, application/graphql-response+json;q=0.1", "application/graphql-response+json", 400),
    ],
)
async def test_invalid_query_has_status_400_for_clients_that_accept_graphql_response_json(
    accept: str, content_type: str, status: int
) -> None:
    for query in ["{", "{ nope }", "query ($a: Int!) { rooms(first: $a) { edges { cursor } } }"]:
        headers = [(b"content-type", b"application/json"), (b"accept", accept.encode())]
        body = json.dumps({"query": query}).encode()
        response = await HttpCommunicator(application, "POST", "/graphql", body, headers).get_response(timeout=5)
        assert (response["status"], dict(response["headers"])[b"Content-Type"].decode()) == (status, content_type)
        assert ("data" in json.loads(response["body"])) is (status == 200)


async def test_failed_execution_has_status_200_in_either_content_type(settings: Settings) -> None:
    settings.CHAT_GUESTS = False
    for accept in ["application/json", "application/graphql-response+json"]:
        status, answer = await request({"query": ECHO}, accept=accept)
        assert (status, answer["data"]) == (200, {"sendChatMessage": None})
        status, answer = await request({"query": '{ room(name: "room1") { name } }'}, accept=accept)
        assert (status, answer["data"]) == (200, None)


@pytest.mark.parametrize("variables", ["nonsense", "7", "[]"])
async def test_variables_in_the_url_that_are_no_json_object_are_refused(variables: str) -> None:
    status, _ = await request(method="GET", path=f"/graphql?query=%7Bme%7Bid%7D%7D&variables={variables}")
    assert status == 400


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS"])
async def test_methods_besides_get_and_post_are_refused(method: str) -> None:
    assert (await request({"query": "{ me { id } }"}, method=method))[0] == 405


@pytest.mark.parametrize(("method", "expected"), [("POST", 400), ("GET", 405)])
async def test_subscription_without_events_is_told_how_to_ask(method: str, expected: int) -> None:
    listen = 'subscription { roomMessages(rooms: [{roomName: "room1"}]) { message } }'
    if method == "GET":
        status, answer = await request(method="GET", path=f"/graphql?query={quote(listen)}")
    else:
        status, answer = await request({"query": listen})
    assert status == expected
    assert answer["errors"][0]["message"].endswith("ask for it with Accept: text/event-stream, or over WebSocket")
