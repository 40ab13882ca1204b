"""Internal errors: clients get a fixed text and an id, under which the log has the traceback."""

import logging
import re
from typing import Any

import pytest

from tests.gqlchat.transport.test_http import request

SECRET = "the password is swordfish"
MUTATIONS = [
    'mutation { sendChatMessage(message: "hi", room: {roomName: "room1"}) }',
    'mutation { postMessage(input: {roomName: "room1", message: "hi"}) { error { message } } }',
]
# Shared by all who ask for the same; and, with a fragment at its root, executed on its own.
SUBSCRIPTIONS = [
    'subscription { roomMessages(rooms: [{roomName: "room1"}]) { message } }',
    'subscription { ... { roomMessages(rooms: [{roomName: "room1"}]) { message } } }',
]


def fail(*args: object, **kwargs: object) -> Any:
    raise ZeroDivisionError(SECRET)


def check(error: dict[str, Any], details: dict[str, Any], log: pytest.LogCaptureFixture) -> None:
    """`error` holds nothing but the id, and the log has the traceback under that id."""
    assert error["message"] == "Something went wrong on the server."
    assert details["code"] == "internal_error"
    assert re.fullmatch("[0-9a-f]{12}", details["id"])
    assert SECRET not in str(error)
    records = [record for record in log.records if details["id"] in record.getMessage()]
    assert [(record.levelno, record.exc_info[0]) for record in records] == [(logging.ERROR, ZeroDivisionError)]


async def test_internal_error_in_a_browsers_frame_is_answered_by_id_and_the_socket_stays_open(
    open_chat, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    browser = await open_chat("/ws/chat/room1/")
    with monkeypatch.context() as patch:
        patch.setattr("chat.actions.posting.clean_text", fail)
        await browser.send_json_to({"message": "hi", "client_id": "c1"})
        frame = await browser.receive_json_from(timeout=5)
    assert (frame["kind"], frame["client_id"]) == ("error", "c1")
    check(frame, frame["error"], caplog)
    await browser.say("still here")
    assert await browser.hear() == "still here"


async def test_internal_error_in_a_request_for_history_is_answered_by_id(
    open_chat, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    browser = await open_chat("/ws/chat/room1/")
    with monkeypatch.context() as patch:
        patch.setattr("chat.storage.pages.page", fail)
        await browser.send_json_to({"before": 3})
        frame = await browser.receive_json_from(timeout=5)
    check(frame, frame["error"], caplog)
    await browser.send_json_to({"before": 3})
    assert (await browser.receive_json_from(timeout=5))["kind"] == "history"


@pytest.mark.parametrize(
    "broken",
    ["chat.domain.rooms.enter", "chat.delivery.socket_listener.SocketListener.recover", "chat.frames.event_frame"],
)
async def test_internal_error_in_the_browsers_consumer_is_told_by_id_before_close_1011(
    open_chat, foreign_send, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, broken: str
) -> None:
    monkeypatch.setattr(broken, fail)
    browser = await open_chat("/ws/chat/room1/")
    await foreign_send("room1", message="hi")
    frame = await browser.receive_json_from(timeout=5)
    check(frame, frame["error"], caplog)
    closing = await browser.receive_output(timeout=5)
    assert (closing["type"], closing["code"], closing["reason"]) == ("websocket.close", 1011, "internal_error")


@pytest.mark.parametrize("mutation", MUTATIONS)
async def test_internal_error_in_a_mutation_over_http_is_masked_by_id(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, mutation: str
) -> None:
    monkeypatch.setattr("chat.actions.posting.clean_text", fail)
    status, answer = await request({"query": mutation})
    assert status == 200
    (error,) = answer["errors"]
    check(error, error["extensions"], caplog)
    assert len(error["path"]) == 1


async def test_internal_error_before_execution_over_http_is_masked_by_id_with_status_500(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("gqlchat.transport.consumers.ChatGraphQLHTTPConsumer.get_context", fail)
    status, answer = await request({"query": "{ me { id } }"})
    assert status == 500
    (error,) = answer["errors"]
    check(error, error["extensions"], caplog)


@pytest.mark.parametrize("mutation", MUTATIONS)
async def test_internal_error_in_a_mutation_over_websocket_is_masked_by_id(
    open_graphql, subprotocol: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, mutation: str
) -> None:
    graphql = await open_graphql(subprotocol)
    with monkeypatch.context() as patch:
        patch.setattr("chat.actions.posting.clean_text", fail)
        await graphql.start(mutation)
        (error,) = (await graphql.result())["errors"]
    check(error, error["extensions"], caplog)
    assert (await graphql.receive_json_from(timeout=5))["type"] == "complete"
    await graphql.join("room1", id="2")


async def test_internal_error_in_the_graphql_protocol_closes_the_socket_with_the_id(
    open_graphql, subprotocol: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    graphql = await open_graphql(subprotocol)
    monkeypatch.setattr("gqlchat.transport.protocols.problem_with", fail)
    await graphql.start("{ me { id } }")
    closing = await graphql.receive_output(timeout=5)
    assert (closing["type"], closing["code"]) == ("websocket.close", 1011)
    code, id = closing["reason"].split()
    check({"message": "Something went wrong on the server."}, {"code": code, "id": id}, caplog)


@pytest.mark.parametrize("broken", ["chat.delivery.hub.Hub.join", "gqlchat.schema.requests.enter_all"])
@pytest.mark.parametrize("subscription", SUBSCRIPTIONS)
async def test_internal_error_at_the_start_of_a_subscription_is_masked_by_id(
    open_graphql,
    subprotocol: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    broken: str,
    subscription: str,
) -> None:
    graphql = await open_graphql(subprotocol)
    with monkeypatch.context() as patch:
        patch.setattr(broken, fail)
        await graphql.start(subscription)
        frame = await graphql.receive_json_from(timeout=5)
    payload = frame["payload"]
    error = payload[0] if isinstance(payload, list) else payload["errors"][0] if "errors" in payload else payload
    check(error, error["extensions"], caplog)
    if frame["type"] != "error":
        assert (await graphql.receive_json_from(timeout=5))["type"] == "complete"
    await graphql.join("room1", id="2")


async def test_internal_error_in_a_shared_subscription_is_masked_by_id(
    open_graphql, foreign_send, subprotocol: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    graphql = await open_graphql(subprotocol)
    await graphql.join("room1")
    monkeypatch.setattr("gqlchat.transport.sharing.execute_subscription_event", fail)
    await foreign_send("room1", message="hi")
    frame = await graphql.receive_json_from(timeout=5)
    assert frame["type"] == "error"
    error = frame["payload"][0] if isinstance(frame["payload"], list) else frame["payload"]
    check(error, error["extensions"], caplog)


async def test_errors_of_clients_are_neither_masked_nor_logged(open_chat, caplog: pytest.LogCaptureFixture) -> None:
    _, answer = await request({"query": "{ nope }"})
    assert answer["errors"][0]["message"].startswith("Cannot query field 'nope'")
    _, answer = await request({"query": MUTATIONS[0].replace('"hi"', '" "')})
    assert answer["errors"][0] | {"locations": None, "path": None} == {
        "message": "The message is empty.",
        "extensions": {"code": "blank_message"},
        "locations": None,
        "path": None,
    }
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]
