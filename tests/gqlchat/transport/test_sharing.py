"""Equal subscriptions share one execution, with the results that single executions would give."""

import asyncio
import gc
from collections import Counter, defaultdict

import pytest
import strawberry
from graphql import parse
from pytest_django import Settings

from chat.delivery.hub import Hub
from chat.delivery.rendering_budget import RenderingBudget
from chat.domain import events, formatting
from chat.domain.events import Event
from chat.domain.rooms import find
from gqlchat.schema.execution import Schema
from gqlchat.schema.messages import ChatRoomMessage
from gqlchat.schema.roots import Mutation, Query, Subscription
from gqlchat.transport import sharing
from gqlchat.transport.sharing import SharedOperation
from mysite.asgi import application
from tests.conftest import SlowServer, live_listeners
from tests.turns import Turns

BY_VARIABLE = """subscription ($user: String!) {
    joinChatRooms(rooms: [{roomName: "shared"}], user: $user) { roomName message currentUser }
}"""


@pytest.fixture
def executions(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The texts of executed messages, one for each execution."""
    executed = []
    execute = sharing.execute_subscription_event

    def count(executor):
        executed.append(executor.root_value.message)
        return execute(executor)

    monkeypatch.setattr(sharing, "execute_subscription_event", count)
    return executed


async def subscribe(open_graphql, query: str, protocols=("graphql-transport-ws",), **variables: object) -> list:
    sockets = [await open_graphql(protocol) for protocol in protocols]
    for socket in sockets:
        await socket.start(query, variables)
        await socket.result()  # its greeting
    return sockets


async def heard(socket, text: str) -> dict:
    """The message with `text`, past the greetings of others."""
    while text not in (message := next(iter((await socket.result())["data"].values()))).values():
        pass
    return message


async def test_same_subscription_is_executed_once_for_both_subprotocols(
    open_graphql, foreign_send, executions: list[str]
) -> None:
    protocols = ["graphql-transport-ws", "graphql-ws"] * 5
    sockets = await subscribe(open_graphql, BY_VARIABLE, protocols, user="foo")
    await foreign_send("shared", message="hi")
    for socket in sockets:
        assert await heard(socket, "hi") == {"roomName": "shared", "message": "hi", "currentUser": "foo"}
    assert executions.count("hi") == 1


async def test_subscriptions_with_different_users_share_one_execution(
    open_graphql, foreign_send, executions: list[str]
) -> None:
    users = ["ann", 'b"o\\b', "çem", "🍓", sharing.MARK[:10]]
    sockets = [(user, *await subscribe(open_graphql, BY_VARIABLE, user=user)) for user in users]
    await foreign_send("shared", message="hi")
    for user, socket in sockets:
        assert (await heard(socket, "hi"))["currentUser"] == user
    assert executions.count("hi") == 1


@pytest.mark.parametrize(
    ("selection", "expected"),
    [
        ("{ message __typename }", {"message": "hi", "__typename": "ChatRoomMessage"}),
        ("{ text: message who: currentUser me: currentUser }", {"text": "hi", "who": "foo", "me": "foo"}),
        ("{ ...F } fragment F on ChatRoomMessage { message ... on ChatRoomMessage { roomName } }", None),
        ("{ message user { name } origin { process } sentAt offset }", None),
        (
            "{ message roomName @include(if: $yes) currentUser @skip(if: $yes) }",
            {"message": "hi", "roomName": "shared"},
        ),
        ("{ ...F } fragment F on ChatRoomMessage { message roomName @skip(if: $yes) }", {"message": "hi"}),
    ],
)
async def test_shared_execution_gives_every_selection_as_a_single_one_would(
    open_graphql, foreign_send, executions: list[str], selection: str, expected: dict | None
) -> None:
    declared = "($yes: Boolean = true)" if "$yes" in selection else ""
    start, _, fragments = selection.partition(" fragment ")
    query = f'subscription {declared} {{ m: joinChatRooms(rooms: [{{roomName: "shared"}}], user: "foo") {start} }}'
    query += f" fragment {fragments}" if fragments else ""
    sockets = await subscribe(open_graphql, query, ["graphql-transport-ws"] * 2)
    await foreign_send("shared", message="hi")
    results = [await heard(socket, "hi") for socket in sockets]
    assert results[0] == results[1] == (expected or results[0])
    assert executions.count("hi") == 1


FIELD = 'm: joinChatRooms(rooms: [{roomName: "shared"}], user: "foo")'


@pytest.mark.parametrize(
    ("query", "shared"),
    [
        (f"subscription {{ ... {{ {FIELD} {{ message }} }} }}", 1),
        (
            f"subscription {{ ... on Subscription {{ ...F }} }} fragment F on Subscription {{ {FIELD} {{ message }} }}",
            1,
        ),
        (f"subscription {{ {FIELD} {{ message }} {FIELD} {{ message }} }}", 0),
    ],
)
async def test_root_field_in_a_fragment_is_shared_and_a_repeated_one_is_not(
    open_graphql, foreign_send, executions: list[str], query: str, shared: int
) -> None:
    sockets = await subscribe(open_graphql, query, ["graphql-transport-ws"] * 2)
    await foreign_send("shared", message="hi")
    for socket in sockets:
        assert await heard(socket, "hi") == {"message": "hi"}
    assert executions.count("hi") == shared  # by itself is not counted


async def test_subscriptions_with_a_null_and_a_missing_variable_are_not_shared(open_graphql, foreign_send) -> None:
    query = """subscription ($named: Boolean = true) {
        joinChatRooms(rooms: [{roomName: "shared"}], user: "foo") { message roomName @include(if: $named) }
    }"""
    null = await open_graphql()
    await null.start(query, {"named": None})
    assert (await null.receive_json_from(timeout=5))["payload"]["errors"]
    (default,) = await subscribe(open_graphql, query)
    await foreign_send("shared", message="hi")
    assert await heard(default, "hi") == {"message": "hi", "roomName": "shared"}


async def test_subscriptions_whose_variables_change_the_selection_are_not_shared(open_graphql, foreign_send) -> None:
    query = """subscription ($named: Boolean!) {
        joinChatRooms(rooms: [{roomName: "shared"}], user: "foo") { message roomName @include(if: $named) }
    }"""
    (named,) = await subscribe(open_graphql, query, named=True)
    (plain,) = await subscribe(open_graphql, query, named=False)
    await foreign_send("shared", message="hi")
    assert await heard(named, "hi") == {"message": "hi", "roomName": "shared"}
    assert await heard(plain, "hi") == {"message": "hi"}


async def test_subscriptions_to_rooms_by_variable_hear_their_own_rooms_only(open_graphql, foreign_send) -> None:
    query = """subscription ($rooms: [ChatRoom!]!) { joinChatRooms(rooms: $rooms, user: "foo") { message roomName } }"""
    (one,) = await subscribe(open_graphql, query, rooms=[{"roomName": "one"}])
    (two,) = await subscribe(open_graphql, query, rooms=[{"roomName": "two"}])
    await foreign_send("one", message="hi")
    await foreign_send("two", message="ho")
    assert await heard(one, "hi") == {"message": "hi", "roomName": "one"}
    assert await heard(two, "ho") == {"message": "ho", "roomName": "two"}


async def test_subscriptions_of_one_connection_share_an_operation_with_own_users(open_graphql, foreign_send) -> None:
    (socket,) = await subscribe(open_graphql, BY_VARIABLE, user="foo")
    await socket.subscribe(BY_VARIABLE, {"user": "bar"}, id="2")
    await foreign_send("shared", message="hi")
    users = {}
    while len(users) < 2:
        frame = await socket.receive_json_from(timeout=5)
        message = frame["payload"]["data"]["joinChatRooms"]
        if message["message"] == "hi":
            users[frame["id"]] = message["currentUser"]
    assert users == {"1": "foo", "2": "bar"}


async def test_slow_follower_delays_nobody_and_misses_nothing(open_graphql, foreign_send) -> None:
    server = SlowServer(application, taking=True)
    slow = await open_graphql("graphql-transport-ws", server)
    await slow.join("shared")
    (quick,) = await subscribe(open_graphql, BY_VARIABLE, user="bar")
    await slow.hear()  # bar's greeting
    server.taking.clear()
    for number in range(50):
        await foreign_send("shared", message=str(number))
        await heard(quick, str(number))
    server.taking.set()
    assert [(await slow.hear())[1] for _ in range(50)] == [str(number) for number in range(50)]


@pytest.mark.parametrize(("count", "shared", "direct"), [(500, True, True), (500, True, False), (200, False, False)])
async def test_many_distinct_subscriptions_yield_to_the_loop_and_hear_all_in_order(
    open_graphql, settings: Settings, monkeypatch: pytest.MonkeyPatch, count: int, shared: bool, direct: bool
) -> None:
    settings.CHAT_SUBSCRIPTIONS_PER_CONNECTION = 100
    sockets = [await open_graphql(direct=direct) for _ in range(count // 100)]
    for number in range(count):
        field = f'm: roomMessages(rooms: [{{roomName: "many"}}]) {{ text: message m{number}: message }}'
        query = f"subscription {{ {field} }}" if shared else f"subscription {{ {field} {field} }}"
        await sockets[number // 100].start(query, id=str(number))
    while len(live_listeners()) < count:
        await asyncio.sleep(0)
    turns, rendered_in = Turns(), Counter[int]()
    of = ChatRoomMessage.of

    def note_turn(event: Event, current_user: str) -> ChatRoomMessage:
        rendered_in[turns.now] += 1
        return of(event, current_user)

    monkeypatch.setattr(ChatRoomMessage, "of", note_turn)
    said = [events.build(room=find("many"), message=text, person=None) for text in ("one", "two", "three")]
    Hub.here().hear(said[0])
    Hub.here().hear(said[1])
    await asyncio.sleep(0)
    Hub.here().hear(said[2])  # comes while the others are still being rendered
    heard = defaultdict[str, list[str]](list)
    for socket in sockets:
        for _ in range(300):
            frame = await socket.receive_json_from(timeout=30)
            heard[frame["id"]].append(frame["payload"]["data"]["m"]["text"])
    turns.stop()
    assert heard == {str(number): ["one", "two", "three"] for number in range(count)}
    assert rendered_in.total() == 3 * count
    assert max(rendered_in.values()) <= 2 * RenderingBudget.per_turn  # a turn as others count them may lie across two


async def test_shared_operation_is_forgotten_with_its_last_follower(open_graphql) -> None:
    (socket,) = await subscribe(open_graphql, BY_VARIABLE, user="foo")
    assert any(query == BY_VARIABLE for query, *_ in sharing._operations)
    await socket.disconnect()
    gc.collect()
    assert not any(query == BY_VARIABLE for query, *_ in sharing._operations)


@strawberry.type
class NosyMessage(ChatRoomMessage):
    @strawberry.field
    def viewer(self, info: strawberry.Info) -> str:
        return str(info.context["request"])

    @strawberry.field
    async def later(self) -> str:
        await asyncio.sleep(0)
        return f"{self.message}, later"


@strawberry.type
class NosySubscription(Subscription):
    @strawberry.subscription
    async def join_chat_rooms(self) -> NosyMessage:  # type: ignore[override]
        yield


NOSY = Schema(query=Query, mutation=Mutation, subscription=NosySubscription)
EVENT = events.build(room=find("shared"), message="hi", person=None)


def nosy(selection: str) -> SharedOperation:
    document = parse(f"subscription {{ joinChatRooms {{ {selection} }} }}")
    return SharedOperation(NOSY, document, None, None, lambda event: NosyMessage.of(event, "foo"))


async def test_shared_execution_that_uses_the_person_is_an_error(caplog: pytest.LogCaptureFixture) -> None:
    (payload,) = nosy("message viewer").render(EVENT) or []
    assert b"Something went wrong" in payload
    assert "LookupError: A shared subscription has no person" in caplog.text


async def test_shared_execution_awaits_asynchronous_fields() -> None:
    operation = nosy("later")
    assert operation.render(EVENT) is None
    assert await operation.render_later(EVENT) == [b'{"data":{"joinChatRooms":{"later":"hi, later"}}}']
    assert operation.render(EVENT) == [b'{"data":{"joinChatRooms":{"later":"hi, later"}}}']


async def test_shared_execution_has_the_html_once_for_all(
    open_graphql, foreign_send, executions: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = []
    to_html = formatting.to_html
    monkeypatch.setattr(formatting, "to_html", lambda text, people: made.append(text) or to_html(text, people))
    query = BY_VARIABLE.replace("currentUser", "html currentUser")
    sockets = [(user, *await subscribe(open_graphql, query, user=user)) for user in ["ann", "ben"]]
    sockets += [("cem", *await subscribe(open_graphql, query.replace("roomName message", "message"), user="cem"))]
    await foreign_send("shared", message="*hi*")
    await foreign_send("shared", message="plain")
    for user, socket in sockets:
        assert {"html": "<p><em>hi</em></p>", "currentUser": user}.items() <= (await heard(socket, "*hi*")).items()
        assert (await heard(socket, "plain"))["html"] is None
    assert executions.count("*hi*") == 2  # of two operations
    assert made == ["*hi*"]


async def test_shared_execution_waits_for_html_in_its_turn(open_graphql, foreign_send) -> None:
    (socket,) = await subscribe(open_graphql, BY_VARIABLE.replace("currentUser", "html currentUser"), user="ann")
    texts = [f"{number} {'*a* ' * 250}" for number in range(30)]
    for text in texts:
        await foreign_send("shared", message=text)
    for text in texts:
        message = await heard(socket, text)
        assert message["html"].count("<em>") == 250
