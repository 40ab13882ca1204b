"""The schema as others use it: its snapshot, Strawberry's stock consumers and router, and no server at all."""

import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from channels.testing import HttpCommunicator, WebsocketCommunicator
from django.core.asgi import get_asgi_application
from graphql import GraphQLSchema, build_schema
from strawberry.channels import GraphQLHTTPConsumer, GraphQLProtocolTypeRouter, GraphQLWSConsumer
from strawberry.channels.testing import GraphQLWebsocketCommunicator
from strawberry.subscriptions import GRAPHQL_TRANSPORT_WS_PROTOCOL, GRAPHQL_WS_PROTOCOL

from mysite.asgi import application
from mysite.graphql import schema
from tests.servers import ROOT, environment

JOIN = 'subscription { joinChatRooms(rooms: [{roomName: "room1"}], user: "foo") { roomName message currentUser } }'
SEND = 'mutation { sendChatMessage(message: "hello room 1", room: { roomName: "room1" }) }'


def test_schema_equals_its_snapshot() -> None:
    assert (ROOT / "gqlchat" / "schema.graphql").read_text() == schema.as_str() + "\n", "run `make schema`"


async def test_stock_websocket_consumer_passes_the_guides_test_with_graphql_ws() -> None:
    consumer = GraphQLWSConsumer.as_asgi(schema=schema, subscription_protocols=(GRAPHQL_WS_PROTOCOL,))
    client = WebsocketCommunicator(consumer, "", subprotocols=[GRAPHQL_WS_PROTOCOL])
    assert await client.connect() == (True, GRAPHQL_WS_PROTOCOL)
    await client.send_json_to({"type": "connection_init"})
    assert (await client.receive_json_from())["type"] == "connection_ack"
    await client.send_json_to({"type": "start", "id": "demo_consumer", "payload": {"query": JOIN}})
    response = await client.receive_json_from()
    assert response["id"] == "demo_consumer"
    assert response["payload"]["data"]["joinChatRooms"]["message"] == "Hello my name is foo!"
    await client.disconnect()


async def test_stock_websocket_consumer_passes_the_guides_test_with_graphql_transport_ws() -> None:
    consumer = GraphQLWSConsumer.as_asgi(schema=schema, subscription_protocols=(GRAPHQL_TRANSPORT_WS_PROTOCOL,))
    client = WebsocketCommunicator(consumer, "", subprotocols=[GRAPHQL_TRANSPORT_WS_PROTOCOL])
    assert await client.connect() == (True, GRAPHQL_TRANSPORT_WS_PROTOCOL)
    await client.send_json_to({"type": "connection_init"})
    assert (await client.receive_json_from())["type"] == "connection_ack"
    await client.send_json_to({"type": "subscribe", "id": "demo_consumer", "payload": {"query": JOIN}})
    response = await client.receive_json_from()
    assert response["type"] == "next"
    assert response["payload"]["data"]["joinChatRooms"]["message"] == "Hello my name is foo!"
    await client.disconnect()


async def test_strawberrys_communicator_subscribes_to_the_whole_site(subprotocol: str) -> None:
    client = GraphQLWebsocketCommunicator(application, "/graphql", protocol=subprotocol, subprotocols=[])
    async with client:
        await client.send_json_to({"type": "ping"})
        async for result in client.subscribe(JOIN):
            if result.data is None:
                continue
            assert result.data["joinChatRooms"]["message"] == "Hello my name is foo!"
            break


@pytest.mark.parametrize("behind", [get_asgi_application(), None], ids=["with Django", "alone"])
async def test_strawberrys_router_serves_the_schema(open_graphql, subprotocol: str, behind) -> None:
    router = GraphQLProtocolTypeRouter(schema, django_application=behind)
    graphql = await open_graphql(subprotocol, router)
    await graphql.join("room1")
    body = b'{"query": "mutation { sendChatMessage(message: \\"hi\\", room: { roomName: \\"room1\\" }) }"}'
    request = HttpCommunicator(router, "POST", "/graphql", body, [(b"content-type", b"application/json")])
    assert (await request.get_response())["body"] == b'{"data":{"sendChatMessage":null}}'
    assert await graphql.hear() == ("room1", "hi")


def test_schema_runs_with_django_set_up_and_nothing_else_of_the_site(transactional_db: None) -> None:
    program = """JOIN = 'subscription { joinChatRooms(rooms: [{roomName: "r"}], user: "foo") { message } }'
import asyncio, django
django.setup()
from mysite.graphql import schema
from strawberry.channels import GraphQLProtocolTypeRouter
from strawberry.channels.testing import GraphQLWebsocketCommunicator

async def main():
    async with GraphQLWebsocketCommunicator(GraphQLProtocolTypeRouter(schema), "/graphql") as client:
        async for result in client.subscribe(JOIN):
            print(result.data)
            break

asyncio.run(main())
"""
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env=environment(), capture_output=True, text=True, timeout=60
    )
    assert (done.stdout, done.stderr) == ("{'joinChatRooms': {'message': 'Hello my name is foo!'}}\n", "")


async def test_stock_http_consumer_runs_the_guides_mutation(open_chat) -> None:
    browser = await open_chat("/ws/chat/room1/")
    consumer = GraphQLHTTPConsumer.as_asgi(schema=schema)
    body = b'{"query": "mutation { sendChatMessage(message: \\"hi\\", room: { roomName: \\"room1\\" }) }"}'
    request = HttpCommunicator(consumer, "POST", "/graphql", body, [(b"content-type", b"application/json")])
    assert (await request.get_response())["status"] == 200
    assert await browser.hear() == "hi"


async def test_schema_executes_and_subscribes_without_a_server(open_chat) -> None:
    browser = await open_chat("/ws/chat/room1/")
    assert (await schema.execute(SEND)).data == {"sendChatMessage": None}
    assert await browser.hear() == "hello room 1"
    assert (await schema.execute("{ me { isGuest } }")).data == {"me": {"isGuest": True}}
    async for result in await schema.subscribe(JOIN):
        assert result.data["joinChatRooms"]["roomName"] == "room1"
        break


async def test_schema_logs_internal_errors_and_no_errors_of_clients(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    await schema.execute("{ nope }")
    await schema.execute(SEND.replace("hello room 1", " "))
    assert caplog.records == []
    monkeypatch.setattr("chat.actions.posting.clean_text", lambda message, **_: 1 / 0)
    await schema.execute(SEND)
    assert [record.exc_info[0] for record in caplog.records] == [ZeroDivisionError]


def described(schema: GraphQLSchema) -> Iterator[tuple[str, Any]]:
    """All that may have a description, by its schema coordinate: types, fields, arguments and values of enums."""
    for type_name, one in schema.type_map.items():
        if type_name.startswith("__"):
            continue
        yield type_name, one
        for name, value in getattr(one, "values", {}).items():
            yield f"{type_name}.{name}", value
        for name, field in getattr(one, "fields", {}).items():
            yield f"{type_name}.{name}", field
            for argument_name, argument in getattr(field, "args", {}).items():
                yield f"{type_name}.{name}({argument_name}:)", argument


def test_schema_describes_each_type_field_argument_and_value_of_an_enum() -> None:
    assert [coordinate for coordinate, one in described(schema.core) if not one.description] == []


def test_described_looks_at_each_kind_of_part() -> None:
    small = build_schema("type Query { hall(size: Size): Int }  input Size { width: Int }  enum Colour { RED }")
    own = {"Query", "Query.hall", "Query.hall(size:)", "Size", "Size.width", "Colour", "Colour.RED"}
    assert own <= {coordinate for coordinate, one in described(small) if not one.description}
