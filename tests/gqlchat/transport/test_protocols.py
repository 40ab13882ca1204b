"""Bad input over WebSocket, as a table for each subprotocol."""

import asyncio

import pytest
from channels.testing import WebsocketCommunicator

from gqlchat.transport import sharing
from gqlchat.transport.protocols import problem_with
from mysite.asgi import application
from tests.conftest import GraphQLSocket, SlowServer, close

DEEP = "[" * 20_000
BAD_OPERATIONS = [
    ("{ nope }", {}, "Cannot query field 'nope'"),
    ("{", {}, "Syntax Error"),
    ("", {}, 'missing a "query" value'),
    ("query A { me { id } }", {"operationName": "B"}, 'Unknown operation named "B"'),
    ("subscription { nope }", {}, "Cannot query field 'nope'"),
    ("subscription ($u: String!) { joinChatRooms(rooms: [], user: $u) { id } }", {}, "Variable '$u' has invalid value"),
    ("{ me { id } }", {"variables": {"a": {"b": []}}}, None),
]
BAD_FRAMES = [
    ("nonsense", "must be a JSON object"),
    (DEEP, "must be a JSON object"),
    ("[]", "must be a JSON object"),
    ("7", "must be a JSON object"),
    ("null", "must be a JSON object"),
    ("{}", "Unknown message type: None"),
    ('{"type": ["subscribe"]}', "Unknown message type"),
    ('{"type": "shout"}', "Unknown message type: shout"),
    ('{"type": "%s"}' % ("x" * 500), "Unknown message type: xxx"),
    ('{"type": "half a \\ud83d"}', "Unknown message type: half a "),
    ('{"type": "START"}', "`id` of START must be a string"),
    ('{"type": "START", "id": 7}', "`id` of START must be a string"),
    ('{"type": "START", "id": "", "payload": {"query": "{ me { id } }"}}', "`id` of START must be a string"),
    ('{"type": "START", "id": "1"}', "`payload` must be an object"),
    ('{"type": "START", "id": "1", "payload": []}', "`payload` must be an object"),
    ('{"type": "START", "id": "1", "payload": {}}', "`query` must be a string"),
    ('{"type": "START", "id": "1", "payload": {"query": 7}}', "`query` must be a string"),
    ('{"type": "START", "id": "1", "payload": {"query": "{x}", "variables": 7}}', "`variables` must be an object"),
    (
        '{"type": "START", "id": "1", "payload": {"query": "{x}", "operationName": 7}}',
        "`operationName` must be a string",
    ),
    ('{"type": "STOP"}', "`id` of STOP must be a string"),
    ('{"type": "STOP", "id": {}}', "`id` of STOP must be a string"),
]


@pytest.mark.parametrize(("query", "more", "complaint"), BAD_OPERATIONS)
async def test_invalid_operation_is_answered_and_the_socket_stays_open(
    open_graphql, subprotocol: str, query: str, more: dict, complaint: str | None
) -> None:
    graphql = await open_graphql(subprotocol)
    start = "subscribe" if "transport" in subprotocol else "start"
    await graphql.send_json_to({"type": start, "id": "1", "payload": {"query": query, **more}})
    answer = await graphql.receive_json_from(timeout=5)
    if complaint:
        assert answer["type"] == "error"
        assert complaint in str(answer["payload"])
    else:
        assert "errors" not in answer["payload"]
    await graphql.start("{ me { name } }", id="2")
    while (frame := await graphql.receive_json_from(timeout=5))["id"] == "1":
        assert frame["type"] == "complete"
    assert frame["payload"]["data"]["me"]["name"]


@pytest.mark.parametrize("frame", [{"payload": None}, {"payload": {}}, {}])
async def test_connection_init_without_payload_is_acknowledged(subprotocol: str, frame: dict) -> None:
    socket = GraphQLSocket(application, "/graphql", protocol=subprotocol, subprotocols=[])
    await socket.connect(timeout=5)
    await socket.send_json_to({"type": "connection_init"} | frame)
    assert await socket.receive_json_from(timeout=5) == {"type": "connection_ack"}
    await socket.join("room1")
    await close(socket)


async def test_connection_init_with_a_payload_that_is_no_object_is_refused(subprotocol: str) -> None:
    for payload in [7, "", [], False]:
        socket = GraphQLSocket(application, "/graphql", protocol=subprotocol, subprotocols=[])
        await socket.connect(timeout=5)
        await socket.send_json_to({"type": "connection_init", "payload": payload})
        if subprotocol == "graphql-ws":
            assert await socket.receive_json_from(timeout=5) == {"type": "connection_error"}
        assert (await socket.receive_output(timeout=5))["type"] == "websocket.close"
        await close(socket)


SEVERAL = """mutation Say { sendChatMessage(room: {roomName: "room1"}, message: "said") }
subscription Listen { joinChatRooms(rooms: [{roomName: "room1"}], user: "foo") { roomName message } }
query Who { me { isGuest } }"""


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ({}, "Must provide operation name"),
        ({"operationName": None}, "Must provide operation name"),
        ({"operationName": ""}, "Must provide operation name"),
        ({"operationName": "Nope"}, 'Unknown operation named "Nope"'),
    ],
)
@pytest.mark.parametrize("first", [0, 1, 2])
async def test_document_of_several_operations_without_a_valid_operation_name_is_refused(
    open_graphql, open_chat, subprotocol: str, name: dict, complaint: str, first: int
) -> None:
    browser, graphql = await open_chat("/ws/chat/room1/"), await open_graphql(subprotocol)
    lines = SEVERAL.splitlines()
    document = "\n".join(lines[first:] + lines[:first])
    await graphql.begin({"query": document} | name)
    frame = await graphql.receive_json_from(timeout=5)
    assert (frame["type"], frame["id"]) == ("error", "1")
    assert complaint in str(frame["payload"])
    await graphql.begin({"query": document, "operationName": "Who"}, id="2")
    assert await graphql.result("2") == {"data": {"me": {"isGuest": True}}}
    await browser.say("the first that is heard")
    assert await browser.hear() == "the first that is heard"


async def test_document_of_several_operations_runs_and_shares_the_named_one(open_graphql, subprotocol: str) -> None:
    graphql = await open_graphql(subprotocol)
    await graphql.begin({"query": SEVERAL, "operationName": "Listen"})
    assert await graphql.hear() == ("room1", "Hello my name is foo!")
    assert any(key[:3] == (SEVERAL, "Listen", "{}") for key in sharing._operations)
    await graphql.begin({"query": SEVERAL, "operationName": "Say"}, id="2")
    frames = [await graphql.receive_json_from(timeout=5) for _ in range(3)]
    (heard,) = [frame for frame in frames if frame["id"] == "1"]
    assert heard["payload"]["data"]["joinChatRooms"]["message"] == "said"


async def test_empty_operation_name_counts_as_none(open_graphql, open_chat, subprotocol: str) -> None:
    browser, graphql = await open_chat("/ws/chat/room1/"), await open_graphql(subprotocol)
    query = 'subscription Listen { joinChatRooms(rooms: [{roomName: "room1"}], user: "foo") { roomName message } }'
    await graphql.begin({"query": query, "operationName": ""})
    assert await graphql.hear() == ("room1", "Hello my name is foo!")
    assert await browser.hear() == "Hello my name is foo!"
    assert any(name is None for _, name, *_ in sharing._operations)


async def test_persisted_query_hash_alone_is_answered_as_not_supported(open_graphql, subprotocol: str) -> None:
    graphql = await open_graphql(subprotocol)
    await graphql.join("room1")
    probe = {"operationName": "Who", "extensions": {"persistedQuery": {"version": 1, "sha256Hash": "ecf4edb4"}}}
    await graphql.begin(probe, id="2")
    error = {"message": "PersistedQueryNotSupported", "extensions": {"code": "PERSISTED_QUERY_NOT_SUPPORTED"}}
    payload = error if subprotocol == "graphql-ws" else [error]
    assert await graphql.receive_json_from(timeout=5) == {"type": "error", "id": "2", "payload": payload}
    await graphql.begin({"query": "{ me { isGuest } }"} | probe | {"operationName": None}, id="2")
    assert await graphql.result("2") == {"data": {"me": {"isGuest": True}}}


@pytest.mark.parametrize(("frame", "complaint"), BAD_FRAMES)
async def test_graphql_transport_ws_closes_with_4400_on_an_invalid_frame(
    open_graphql, frame: str, complaint: str
) -> None:
    graphql = await open_graphql("graphql-transport-ws")
    await graphql.send_to(text_data=frame.replace("START", "subscribe").replace("STOP", "complete"))
    closing = await graphql.receive_output(timeout=5)
    assert (closing["type"], closing["code"]) == ("websocket.close", 4400)
    assert complaint.replace("START", "subscribe").replace("STOP", "complete") in closing["reason"]
    assert len(closing["reason"].encode()) <= 123


@pytest.mark.parametrize(("frame", "complaint"), BAD_FRAMES)
async def test_graphql_ws_answers_an_invalid_frame_and_stays_open(open_graphql, frame: str, complaint: str) -> None:
    graphql = await open_graphql("graphql-ws")
    await graphql.send_to(text_data=frame.replace("START", "start").replace("STOP", "stop"))
    answer = await graphql.receive_json_from(timeout=5)
    assert answer["type"] == "error"
    assert complaint.replace("START", "start").replace("STOP", "stop") in answer["payload"]["message"]
    await graphql.join("fine")


@pytest.mark.parametrize(("protocol", "code"), [("graphql-transport-ws", 4400), ("graphql-ws", 1002)])
async def test_binary_frame_closes_the_socket_with_a_reason(open_graphql, protocol: str, code: int) -> None:
    graphql = await open_graphql(protocol)
    await graphql.send_to(bytes_data=b'{"type": "ping"}')
    closing = await graphql.receive_output(timeout=5)
    assert (closing["code"], closing["reason"]) == (code, "WebSocket message type must be text")


@pytest.mark.parametrize("subprotocols", [[], ["graphql-sse"], ["chat", "mqtt"]])
async def test_socket_without_a_known_subprotocol_is_closed_with_4406(subprotocols: list[str]) -> None:
    socket = WebsocketCommunicator(application, "/graphql", subprotocols=subprotocols)
    await socket.connect(timeout=5)
    closing = await socket.receive_output(timeout=5)
    assert (closing["code"], closing["reason"]) == (4406, "Subprotocol not acceptable")
    await socket.disconnect()


@pytest.mark.parametrize("type", ["connection_init", "connection_terminate", "ping", "pong"])
def test_problem_with_accepts_messages_about_the_connection(type: str) -> None:
    assert problem_with({"type": type}) is None
    assert problem_with({"type": type, "payload": None}) is None


async def test_invalid_frames_of_one_client_leave_other_sockets_alone(open_graphql, subprotocol: str) -> None:
    neighbour = await open_graphql(subprotocol)
    await neighbour.join("calm")
    for frame, _ in BAD_FRAMES:
        graphql = await open_graphql()
        await graphql.send_to(text_data=frame.replace("START", "subscribe").replace("STOP", "complete"))
        await graphql.receive_output(timeout=5)
    await neighbour.start("{ me { name } }", id="2")
    assert (await neighbour.result("2"))["data"]["me"]["name"]


async def test_protocol_reads_no_frame_while_the_client_takes_no_answers(subprotocol: str) -> None:
    """The server stops reading then, and so the client can't fill its memory."""
    server = SlowServer(application, taking=True)
    socket = GraphQLSocket(server, "/graphql", protocol=subprotocol, subprotocols=[])
    await socket.gql_init()
    server.taking.clear()
    answered = {"type": "ping"} if subprotocol == "graphql-transport-ws" else {"type": "start", "id": "1"}
    for _ in range(100):
        await socket.send_json_to(answered)
    for _ in range(1000):
        await asyncio.sleep(0)  # long enough for a hundred frames, were they taken
    assert socket.input_queue.qsize() >= 99
    server.taking.set()
    assert [(await socket.receive_json_from(timeout=5))["type"] for _ in range(100)]
    assert socket.input_queue.empty()
    await close(socket)
