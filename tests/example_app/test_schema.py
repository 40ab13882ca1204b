"""A subscription of another app in the site's schema: over WebSocket and as events, shared and not."""

import pytest
from pytest_django import Settings

from chat.delivery.hub import Hub
from gqlchat.transport import sharing
from tests.event_stream import EventStream
from tests.example_app import actions
from tests.example_app.asgi import application
from tests.example_app.conftest import ANN, GROCERIES, elsewhere
from tests.example_app.lists import TodoList
from tests.example_app.schema import schema

CHORES = TodoList("chores")
FOLLOW = """subscription ($todos: [TodoPosition!]!) {
    todoEntries(todos: $todos) { listName kind offset id text }
}"""
BOTH = {"todos": [{"name": "groceries"}, {"name": "chores"}]}
ADD = """mutation ($name: String!, $text: String!) {
    addTodo(name: $name, text: $text) { entry { offset } error { code } }
}"""


def heard(payload: dict) -> tuple[str, str, int, str | None]:
    entry = payload["data"]["todoEntries"]
    return entry["listName"], entry["kind"], entry["offset"], entry["text"]


async def test_entries_that_are_added_at_one_door_are_heard_at_the_other(open_todo, open_graphql, subprotocol) -> None:
    browser, socket = await open_todo(), await open_graphql(subprotocol, application)
    await socket.subscribe(FOLLOW, BOTH)
    await socket.start(ADD, {"name": "groceries", "text": "milk"}, id="2")
    frames = {frame["id"]: frame for frame in [await socket.receive_json_from(5), await socket.receive_json_from(5)]}
    assert heard(frames["1"]["payload"]) == ("groceries", "added", 1, "milk")
    assert frames["2"]["payload"]["data"]["addTodo"] == {"entry": {"offset": 1}, "error": None}
    assert await browser.entry() == ("added", 1, "milk")


async def test_mutation_that_is_refused_says_why(open_graphql) -> None:
    await elsewhere("shared", subject="user-2")
    socket = await open_graphql(application=application)
    for name, text, code in [("groceries", "milk", "not_shared"), ("chores", " ", "invalid_entry")]:
        await socket.start(ADD, {"name": name, "text": text}, id=code)
        assert (await socket.result(code))["data"]["addTodo"] == {"entry": None, "error": {"code": code}}
        assert (await socket.receive_json_from(5))["type"] == "complete"


@pytest.mark.parametrize("shared", [True, False])
async def test_recovery_brings_what_was_missed_of_each_list(
    open_graphql, monkeypatch: pytest.MonkeyPatch, shared: bool
) -> None:
    if not shared:
        monkeypatch.setattr("gqlchat.transport.following.share", lambda *_: None)
    first = await elsewhere(text="milk")
    await elsewhere(text="bread")
    await elsewhere(todo=CHORES, text="dishes")
    todos = [{"name": "groceries", "after": 1, "afterId": first.id}, {"name": "chores", "after": 0}]
    socket = await open_graphql(application=application)
    await socket.subscribe(FOLLOW, {"todos": todos})
    missed = {heard(await socket.result()) for _ in range(2)}
    assert missed == {("groceries", "added", 2, "bread"), ("chores", "added", 1, "dishes")}
    await actions.add(CHORES, "floor", person=ANN)
    assert heard(await socket.result()) == ("chores", "added", 2, "floor")


async def test_subscriber_with_a_position_in_another_log_starts_over(open_graphql) -> None:
    last = await elsewhere(text="milk")
    socket = await open_graphql(application=application)
    await socket.subscribe(FOLLOW, {"todos": [{"name": "groceries", "after": 1, "afterId": "other"}]})
    started_over = (await socket.result())["data"]["todoEntries"]
    assert started_over == {"listName": "groceries", "kind": "start_over", "offset": 1, "id": last.id, "text": None}


async def test_same_subscriptions_are_executed_once_for_each_entry(
    open_graphql, monkeypatch: pytest.MonkeyPatch
) -> None:
    executed, execute = [], sharing.SharedOperation._execute

    def count(operation: sharing.SharedOperation, event: object) -> object:
        executed.append(event)
        return execute(operation, event)

    monkeypatch.setattr(sharing.SharedOperation, "_execute", count)
    sockets = [await open_graphql(application=application) for _ in range(5)]
    for socket in sockets:
        await socket.subscribe(FOLLOW, BOTH)
    await actions.add(GROCERIES, "milk", person=ANN)
    assert [heard(await socket.result()) for socket in sockets] == [("groceries", "added", 1, "milk")] * 5
    assert len(executed) == 1


async def test_person_with_whom_it_is_shared_no_more_is_told_so(open_graphql, hub) -> None:
    socket = await open_graphql(application=application)
    await socket.subscribe(FOLLOW, BOTH)
    (listener,) = hub()._feeds[GROCERIES.group].listeners
    await actions.share(GROCERIES, listener.person.id, person=ANN)
    await actions.unshare(GROCERIES, listener.person.id, person=ANN)
    assert [heard(await socket.result())[1] for _ in range(2)] == ["shared", "unshared"]
    ended = await socket.receive_json_from(5)
    assert (ended["type"], ended["payload"][0]["extensions"]["code"]) == ("error", "not_shared")


@pytest.mark.parametrize("shared", [True, False])
async def test_subscription_for_too_many_lists_is_refused(
    open_graphql, monkeypatch: pytest.MonkeyPatch, settings: Settings, shared: bool
) -> None:
    settings.CHAT_ROOMS_PER_SUBSCRIPTION = 2
    if not shared:
        monkeypatch.setattr("gqlchat.transport.following.share", lambda *_: None)
    socket = await open_graphql(application=application)
    await socket.start(FOLLOW, {"todos": [*BOTH["todos"], {"name": "third"}]})
    assert "too_many_rooms" in str(await socket.receive_json_from(5))
    assert not Hub.here().is_listening


async def test_subscription_to_a_list_whose_group_can_not_be_made_is_answered_by_an_error(
    open_graphql, subprotocol: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    socket = await open_graphql(subprotocol, application)

    def fail(todo: TodoList) -> str:
        raise ValueError(todo.name)

    monkeypatch.setattr(TodoList, "group", property(fail))
    wrong = {"todos": [{"name": "groceries"}, {"name": "chores"}]}
    await socket.start(FOLLOW, wrong)
    assert "internal_error" in str(await socket.receive_json_from(5))
    stream = await EventStream({"query": FOLLOW, "variables": wrong}, application=application).open()
    event = await stream.next()
    assert event
    assert "internal_error" in str(event.json)
    assert not Hub.here().is_listening
    await stream.leave()
    assert sum(record.levelname == "ERROR" for record in caplog.records) == 2


@pytest.mark.parametrize("shared", [True, False])
@pytest.mark.parametrize("name", ["", "half \ud800", "nul \0", "x" * 101], ids=ascii)
async def test_name_that_no_list_can_have_is_refused(
    open_graphql, monkeypatch: pytest.MonkeyPatch, name: str, shared: bool
) -> None:
    if not shared:
        monkeypatch.setattr("gqlchat.transport.following.share", lambda *_: None)
    socket = await open_graphql(application=application)
    await socket.start(FOLLOW, {"todos": [{"name": name}]})
    assert "'invalid_name'" in str(await socket.receive_json_from(5))
    await socket.start(ADD, {"name": name, "text": "milk"}, id="2")
    while "addTodo" not in str(answer := await socket.receive_json_from(5)):
        pass  # the end of the subscription
    assert answer["payload"]["data"]["addTodo"]["error"] == {"code": "invalid_name"}


@pytest.mark.parametrize(
    ("todo", "shared", "types"),
    [
        ({"name": "groceries"}, True, ["error"]),
        ({"name": "groceries"}, False, ["next", "complete"]),
        ({"name": "groceries", "after": -1}, True, ["next", "complete"]),
    ],
    ids=["permission", "alone", "arguments"],
)
async def test_subscription_that_is_refused_ends_as_the_protocol_page_says(
    open_graphql, monkeypatch: pytest.MonkeyPatch, todo: dict, shared: bool, types: list[str]
) -> None:
    await elsewhere("shared", subject="user-2")
    if not shared:
        monkeypatch.setattr("gqlchat.transport.following.share", lambda *_: None)
    socket = await open_graphql("graphql-transport-ws", application)
    await socket.start(FOLLOW, {"todos": [todo]})
    assert [(await socket.receive_json_from(5))["type"] for _ in types] == types
    assert await socket.receive_nothing(0.1)


async def test_list_is_read_with_the_position_from_which_its_entries_go_on(open_graphql) -> None:
    for text in ("milk", "bread"):
        await elsewhere(text=text)
    done = await elsewhere("done", target=1)
    socket = await open_graphql(application=application)
    await socket.start('{ todoList(name: "groceries") { things { offset text } offset id } }', {}, id="1")
    contents = {"things": [{"offset": 2, "text": "bread"}], "offset": 3, "id": done.id}
    assert (await socket.result("1"))["data"]["todoList"] == contents
    assert (await socket.receive_json_from(5))["type"] == "complete"
    await elsewhere("shared", subject="user-2")
    await socket.start('{ todoList(name: "groceries") { offset } }', {}, id="2")
    assert "'not_shared'" in str(await socket.receive_json_from(5))


async def test_stream_of_events_goes_on_after_the_last_event_id() -> None:
    body = {"query": FOLLOW, "variables": BOTH}
    stream = await EventStream(body, application=application).open()
    while not (await stream.block() or ["id: "])[0].startswith("id: "):
        pass  # until it says where it is, and so has begun to hear
    await actions.add(GROCERIES, "milk", person=ANN)
    event = await stream.next()
    assert event
    assert heard(event.json) == ("groceries", "added", 1, "milk")
    await stream.leave()
    await elsewhere(todo=CHORES, text="dishes")
    headers = [(b"last-event-id", event.id.encode())]
    again = await EventStream(body, application=application, headers=headers).open()
    event = await again.next()
    assert event
    assert heard(event.json) == ("chores", "added", 1, "dishes")
    await again.leave()


def test_schema_has_the_fields_of_the_site_and_of_the_app() -> None:
    fields = schema.core.subscription_type.fields
    assert {"todoEntries", "joinChatRooms"} <= fields.keys()
