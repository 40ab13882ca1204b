"""The promises of the hub to the chat's people hold for those of another app, at its browsers' door."""

import asyncio

import pytest
from channels.layers import get_channel_layer
from pytest_django import Settings

from chat.connections.sockets import Sockets
from chat.delivery import hub
from chat.delivery.hub import Hub
from chat.domain.people import Person
from chat.errors import Unavailable
from chat.storage.database import in_database
from tests.conftest import SlowServer
from tests.example_app import actions, lists, storage
from tests.example_app.asgi import application
from tests.example_app.conftest import ANN, GROCERIES, elsewhere, set_back
from tests.example_app.lists import NotShared, TodoList
from tests.example_app.source import TodoSource


@pytest.fixture(autouse=True)
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub, "WATCH_INTERVAL", 0.1)


@pytest.mark.parametrize("direct", [True, False])
async def test_entry_is_answered_and_heard_by_all(open_todo, direct: bool) -> None:
    one, two = await open_todo(direct=direct), await open_todo(direct=direct)
    await one.send_json_to({"add": "milk", "client_id": "a"})
    frames = [await one.frame(), await one.frame()]
    assert {"added": 1, "client_id": "a"} in frames
    heard = await two.frame()
    assert heard in frames
    assert (heard["kind"], heard["offset"], heard["text"], heard["client_id"]) == ("added", 1, "milk", "a")
    await two.send_json_to({"done": 1})
    assert await one.entry() == await two.entry() == ("done", 2, "")


async def test_entry_that_is_sent_twice_is_added_once(open_todo) -> None:
    socket = await open_todo()
    for _ in range(2):
        await socket.send_json_to({"add": "milk", "client_id": "a"})
    frames = [await socket.frame() for _ in range(3)]
    assert frames.count({"added": 1, "client_id": "a"}) == 2
    await socket.send_json_to({"add": "bread"})
    assert {(await socket.frame()).get("offset", 2), (await socket.frame()).get("offset", 2)} == {2}


BEN = Person(id="user-2", name="Ben")


async def test_client_id_is_that_of_one_person_in_one_list() -> None:
    """A client elsewhere may have made the same id, in a list that only its people may hear."""
    secret = await actions.add(TodoList("Ann's"), "a secret", person=ANN, client_id="1")
    await actions.share(TodoList("Ann's"), ANN.id, person=ANN)
    async with Hub.here().listen([GROCERIES]) as listener, asyncio.timeout(5):
        for person, text in [(BEN, "milk"), (ANN, "bread")]:
            added = await actions.add(GROCERIES, text, person=person, client_id="1")
            assert (added.log, added.text) == (GROCERIES, text)
            again = await actions.add(GROCERIES, text, person=person, client_id="1")
            assert (again.id, again.text) == (added.id, text)
            assert (await anext(listener)).id == added.id
    with pytest.raises(NotShared):
        await actions.add(TodoList("Ann's"), "mine", person=BEN, client_id="1")
    assert (await actions.add(TodoList("Ann's"), "?", person=ANN, client_id="1")).id == secret.id


@pytest.mark.parametrize(
    "frame",
    [
        "[]",
        "{",
        '{"add": "half \\ud800"}',
        '{"add": "nul \\u0000"}',
        '{"show": 1}',
        "{}",
        '{"add": 1}',
        '{"add": " "}',
        '{"done": "1"}',
        '{"done": 7}',
        '{"add": "x", "client_id": 1}',
    ],
)
async def test_bad_frame_is_answered_by_an_error(open_todo, frame: str) -> None:
    socket = await open_todo()
    await socket.send_to(text_data=frame)
    assert (await socket.frame())["error"]["code"] == "invalid_entry"
    await socket.send_json_to({"add": "milk"})
    assert 1 in {(await socket.frame()).get("offset"), (await socket.frame()).get("offset")}


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ('{"done": -1}', "invalid_position"),
        ('{"done": 1e30}', "invalid_position"),
        ('{"add": "milk", "client_id": ""}', "invalid_client_id"),
        ('{"add": "%s"}' % ("x" * 64_000), "frame_too_long"),
    ],
    ids=["below", "far", "id", "long"],
)
async def test_frame_with_a_value_that_can_not_be_is_answered_by_its_error(open_todo, frame: str, code: str) -> None:
    socket = await open_todo()
    await socket.send_to(text_data=frame)
    assert (await socket.frame())["error"]["code"] == code


@pytest.mark.parametrize("name", ["%00", "x" * 101, "%E2%80%AE", "%20"], ids=["nul", "long", "turned", "blank"])
async def test_name_that_no_list_can_have_is_answered_by_an_error(open_todo, name: str) -> None:
    socket = await open_todo(path=f"/ws/todo/{name}/")
    assert (await socket.frame())["error"]["code"] == "invalid_name"
    assert (await socket.receive_output(timeout=5))["code"] == 4400


async def test_name_may_have_slashes_and_is_the_same_however_it_is_typed(open_todo) -> None:
    socket = await open_todo(path="/ws/todo/a%2Fb/cafe%CC%81%20/")
    await actions.add(lists.find("a/b/caf\u00e9"), "milk", person=ANN)
    assert await socket.entry() == ("added", 1, "milk")


async def test_list_is_read_anew_after_starting_over_and_goes_on_from_there(open_todo) -> None:
    for text in ("milk", "bread", "salt"):
        await elsewhere(text=text)
    await elsewhere("done", target=2)
    socket = await open_todo("?after=1&id=other")
    assert (await socket.frame())["kind"] == "start_over"
    await socket.send_json_to({"show": True})
    shown = await socket.frame()
    assert shown["things"] == [{"offset": 1, "text": "milk"}, {"offset": 3, "text": "salt"}]
    await actions.finish(GROCERIES, 3, person=ANN)
    assert await socket.entry() == ("done", shown["offset"] + 1, "")
    back = await open_todo(f"?after={shown['offset']}&id={shown['id']}")
    assert await back.entry() == ("done", shown["offset"] + 1, "")


@pytest.mark.django_db(transaction=True)
async def test_contents_and_position_are_of_one_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    await elsewhere(text="milk")
    refused = storage.refused

    def meanwhile(pairs: object) -> object:  # while the list is being read, somebody adds to it
        monkeypatch.setattr(storage, "refused", refused)
        storage.append(todo=GROCERIES, kind="added", person=ANN, text="bread")
        return refused(pairs)

    monkeypatch.setattr(storage, "refused", meanwhile)
    shown = await actions.show(GROCERIES, person=ANN)
    assert (shown.things, shown.position.offset) == ({1: "milk"}, 1)
    await elsewhere("shared", subject="user-3")
    with pytest.raises(NotShared):
        await actions.show(GROCERIES, person=BEN)


async def test_recovery_brings_what_was_missed_and_then_goes_live(open_todo) -> None:
    entries = [await elsewhere(text=str(number)) for number in range(250)]
    socket = await open_todo(f"?after=2&id={entries[1].id}")
    assert [(await socket.frame())["id"] for _ in range(248)] == [entry.id for entry in entries[2:]]
    await actions.add(GROCERIES, "live", person=ANN)
    assert await socket.entry() == ("added", 251, "live")


@pytest.mark.parametrize(
    ("query", "limit"),
    [("?after=1&id=other", 1000), ("?after=9", 1000), ("?after=1", 1)],
    ids=["other", "ahead", "far"],
)
async def test_recovery_starts_over_where_it_can_not_be(open_todo, settings: Settings, query: str, limit: int) -> None:
    settings.CHAT_RECOVERY_MAX = limit
    entries = [await elsewhere(text=str(number)) for number in range(3)]
    socket = await open_todo(query)
    assert await socket.frame() == {"kind": "start_over", "offset": 3, "id": entries[-1].id}


async def test_bad_position_is_answered_by_an_error(open_todo) -> None:
    socket = await open_todo("?after=-1")
    assert (await socket.frame())["error"]["code"] == "invalid_position"


async def test_entries_that_the_layer_does_not_bring_are_heard_in_order(open_todo) -> None:
    socket = await open_todo()
    for number in range(3):
        await elsewhere(text=str(number))
    await actions.add(GROCERIES, "here", person=ANN)  # comes out of turn
    await elsewhere(text="last")
    assert [(await socket.entry())[1:] for _ in range(5)] == [(1, "0"), (2, "1"), (3, "2"), (4, "here"), (5, "last")]


@pytest.mark.parametrize("bare", [False, True], ids=["whole", "hint"])
async def test_entry_that_comes_through_the_group_is_heard_at_once(
    open_todo, bare: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if bare:  # as an app has it that says nothing about how its entries travel
        monkeypatch.delattr(TodoSource, "to_group")
        monkeypatch.delattr(TodoSource, "parse")
    monkeypatch.setattr(hub, "WATCH_INTERVAL", 3600)
    socket = await open_todo()
    entry = await elsewhere(text="milk")
    await get_channel_layer().group_send(GROCERIES.group, dict(TodoSource.here().to_group(entry)))
    assert await socket.entry() == ("added", 1, "milk")


@pytest.mark.parametrize(
    "garbage",
    [
        {},
        {"offset": "1"},
        {"offset": 1, "id": "x", "kind": 3},
        {"offset": 1, "id": "x", "kind": "added", "sent_at": "yesterday"},
        {"offset": 5, "id": "x", "kind": "added", "sent_at": "2026-01-01T00:00:00Z", "text": 7},
        {"group": ["x"]},
    ],
    ids=str,
)
async def test_garbage_in_the_group_harms_nobody(open_todo, garbage: dict) -> None:
    socket = await open_todo()
    message = {"type": "todo.entry", "group": GROCERIES.group, **garbage}
    await get_channel_layer().group_send(GROCERIES.group, message)
    await actions.add(GROCERIES, "milk", person=ANN)
    while (entry := await socket.entry())[0] == "start_over":
        pass  # an entry that nobody has stored would be of another log
    assert entry == ("added", 1, "milk")


async def test_log_that_went_back_starts_over(open_todo) -> None:
    for text in ("one", "two", "three"):
        await elsewhere(text=text)
    socket = await open_todo()
    await elsewhere(text="four")
    left_at = f"?after=4&id={(await socket.frame())['id']}"
    await in_database(set_back, 2)
    entry = await elsewhere(text="three again")
    assert await socket.frame() == {"kind": "start_over", "offset": 3, "id": entry.id}
    back = await open_todo(left_at)
    assert await back.frame() == {"kind": "start_over", "offset": 3, "id": entry.id}
    await actions.add(GROCERIES, "four again", person=ANN)
    assert await socket.entry() == await back.entry() == ("added", 4, "four again")


async def test_entry_of_a_newer_release_is_passed_over(open_todo) -> None:
    socket = await open_todo()
    await elsewhere("pinned")
    await actions.add(GROCERIES, "milk", person=ANN)
    assert await socket.entry() == ("added", 2, "milk")


# Permission to hear a list

PLACES = ["here", "elsewhere"]


async def test_list_that_is_shared_with_others_refuses(open_todo) -> None:
    await elsewhere("shared", subject="user-2")
    for query in ("", "?after=0"):
        socket = await open_todo(query)
        assert (await socket.frame())["error"]["code"] == "not_shared"
        assert (await socket.receive_output(timeout=5))["code"] == 4403


@pytest.mark.parametrize(
    "act", [actions.share, lambda todo, id, *, person: elsewhere("shared", subject=id)], ids=PLACES
)
async def test_list_that_becomes_private_ends_those_it_is_not_shared_with(open_todo, eventually, act) -> None:
    socket = await open_todo()
    await act(GROCERIES, "user-2", person=ANN)
    assert (await socket.frame())["kind"] == "shared"
    assert (await socket.frame())["error"]["code"] == "not_shared"
    await eventually(lambda: not Hub.here().audience(GROCERIES))


@pytest.mark.parametrize(
    "act", [actions.unshare, lambda todo, id, *, person: elsewhere("unshared", subject=id)], ids=PLACES
)
async def test_person_with_whom_it_is_shared_no_more_hears_nothing_after_that(open_todo, act) -> None:
    guest = await open_todo()
    (listener,) = Hub.here()._feeds[GROCERIES.group].listeners
    await actions.share(GROCERIES, listener.person.id, person=ANN)
    await actions.add(GROCERIES, "milk", person=ANN)
    assert [(await guest.entry())[0] for _ in range(2)] == ["shared", "added"]
    await act(GROCERIES, listener.person.id, person=ANN)
    await actions.add(GROCERIES, "bread", person=ANN)
    assert (await guest.frame())["kind"] == "unshared"
    assert (await guest.frame())["error"]["code"] == "not_shared"
    assert (await guest.receive_output(timeout=5))["code"] == 4403


# Slow readers, and the end


async def test_slow_reader_is_cut_off_and_others_notice_nothing(open_todo, settings: Settings) -> None:
    settings.CHAT_BACKLOG_MAX = 20
    server = SlowServer(application, taking=True)
    slow, quick = await open_todo(application=server), await open_todo()
    server.taking.clear()
    for number in range(30):
        await actions.add(GROCERIES, str(number), person=ANN)
        assert await quick.entry() == ("added", number + 1, str(number))
    server.taking.set()
    frames = [await slow.frame()]
    while "error" not in frames[-1]:
        frames.append(await slow.frame())
    assert frames[-1]["error"]["code"] == "slow_listener"
    assert [frame["offset"] for frame in frames[:-1]] == [*range(1, len(frames))]
    assert len(frames) < 30
    assert (await slow.receive_output(timeout=5))["code"] == 4008


@pytest.mark.parametrize(("error", "code"), [(Unavailable("?"), 1013), (KeyError("?"), 1011)], ids=["away", "mistake"])
async def test_socket_that_can_not_be_served_is_closed_so_that_its_client_comes_back(
    open_todo, monkeypatch: pytest.MonkeyPatch, error: Exception, code: int
) -> None:
    async def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(TodoSource, "heads", fail)
    socket = await open_todo()
    assert "error" in await socket.frame()
    assert (await socket.receive_output(timeout=5))["code"] == code


async def test_stopping_closes_with_1012_and_leaves_the_group(open_todo, eventually) -> None:
    socket = await open_todo()
    ending = asyncio.create_task(Sockets.here().end(1012, "restarting", 1.0))
    assert await socket.receive_output(timeout=5) == {"type": "websocket.close", "code": 1012, "reason": "restarting"}
    await socket.send_input({"type": "websocket.disconnect", "code": 1012})
    await ending
    await eventually(lambda: not Hub.here().audience(GROCERIES))


async def test_source_that_fails_delays_no_other(open_todo, open_chat, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(*_: object) -> None:
        raise ValueError("a mistake of the app's")

    todo, chat = await open_todo(), await open_chat("/ws/chat/room1/")
    await chat.live()
    with monkeypatch.context() as patch:
        patch.setattr(TodoSource, "heads", fail)
        patch.setattr(TodoSource, "read", fail)
        await elsewhere(text="milk")
        await chat.say("hi")
        assert await chat.hear() == "hi"
    assert await todo.entry() == ("added", 1, "milk")
