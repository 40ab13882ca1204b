"""Presence and typing at both doors."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from pytest_django import Settings

from chat.actions import moderation as actions
from chat.delivery.rooms import people_here
from chat.delivery.rooms.source import presences
from chat.domain.people import of_user
from chat.domain.rooms import find
from chat.storage import moderation
from chat.storage.database import in_database
from mysite.graphql import schema
from tests.conftest import ChatSocket, GraphQLSocket
from tests.test_limits import From

OpenChat = Callable[..., Awaitable[ChatSocket]]
OpenGraphQL = Callable[..., Awaitable[GraphQLSocket]]

HERE = "/ws/chat/porch/?with=presence,typing"
ROOM_PRESENCE = 'subscription { roomPresence(roomName: "porch") { count complete people { id name } } }'
ROOM_TYPING = 'subscription { roomTyping(roomName: "porch") { people { id name } } }'
QUERY = 'query { room(name: "porch") { presence { count complete people(first: 1) { name } } } }'
SET_TYPING = """mutation ($typing: Boolean!, $room: String! = "porch") {
    setTyping(input: {roomName: $room, typing: $typing}) { error { code retryAfter } }
}"""


async def told(socket: ChatSocket, kind: str, fits: Callable[[dict[str, Any]], Any] = lambda frame: True) -> Any:
    """The next frame of that kind that fits; others are passed over."""
    async with asyncio.timeout(5):
        while True:
            frame = await socket.receive_json_from(timeout=5)
            if frame["kind"] == kind and fits(frame):
                return frame


async def seen(socket: GraphQLSocket, field: str, fits: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
    async with asyncio.timeout(5):
        while True:
            found = (await socket.result())["data"][field]
            if fits(found):
                return found


async def me(socket: ChatSocket) -> dict[str, str]:
    await socket.send_json_to({"me": True})
    frame = await told(socket, "me")
    return {"id": frame["id"], "name": frame["name"]}


def by_name(*people: dict[str, str]) -> list[dict[str, str]]:
    return sorted(people, key=lambda person: (person["name"].casefold(), person["id"]))


@pytest.mark.parametrize("direct", [True, False], ids=["direct", "send"])
async def test_browser_that_asks_is_told_who_is_there_and_who_is_typing(open_chat: OpenChat, direct: bool) -> None:
    ann, ben = [await open_chat(HERE, direct=direct) for _ in range(2)]
    people = by_name(await me(ann), (typing := await me(ben)))
    frame = await told(ann, "presence", lambda frame: frame["count"] == 2)
    assert frame == {"kind": "presence", "count": 2, "people": people, "complete": True}
    await ben.send_json_to({"typing": True})
    assert await told(ann, "typing") == {"kind": "typing", "people": [typing]}
    await ben.send_json_to({"message": "here it is"})
    assert await told(ann, "typing") == {"kind": "typing", "people": []}


async def test_browser_that_asks_for_nothing_is_told_nothing(open_chat: OpenChat) -> None:
    silent, asking = await open_chat("/ws/chat/porch/"), await open_chat(HERE)
    await told(asking, "presence", lambda frame: frame["count"] == 2)
    await asking.send_json_to({"typing": True})
    await told(asking, "typing")
    await asking.send_json_to({"message": "hello"})
    assert await silent.hear() == "hello"


async def test_subscription_tells_who_is_there_without_being_there(
    open_chat: OpenChat, open_graphql: OpenGraphQL, subprotocol: str
) -> None:
    looking = await open_graphql(subprotocol)
    await looking.start(ROOM_PRESENCE)
    await seen(looking, "roomPresence", lambda found: found == {"count": 0, "complete": True, "people": []})
    ann = await me(await open_chat("/ws/chat/porch/"))
    await seen(looking, "roomPresence", lambda found: found == {"count": 1, "complete": True, "people": [ann]})
    listening = await open_graphql(subprotocol)
    await listening.join("porch")
    found = await seen(looking, "roomPresence", lambda found: found["count"] == 2)
    assert ann in found["people"]


async def test_typing_goes_from_either_door_to_the_other(open_chat: OpenChat, open_graphql: OpenGraphQL) -> None:
    browser, graphql = await open_chat(HERE), await open_graphql()
    await graphql.subscribe(ROOM_TYPING)
    ann = await me(browser)
    await browser.send_json_to({"typing": True})
    await seen(graphql, "roomTyping", lambda found: found == {"people": [ann]})
    await graphql.start(SET_TYPING, {"typing": True}, id="2")
    frame = await told(browser, "typing", lambda frame: len(frame["people"]) == 2)
    assert ann in frame["people"]


async def test_stock_execution_yields_presence_and_typing(open_chat: OpenChat) -> None:
    browser = await open_chat(HERE)
    ann = await me(browser)
    results = await schema.stream(ROOM_PRESENCE)
    assert (await anext(results)).data == {"roomPresence": {"count": 1, "complete": True, "people": [ann]}}
    await results.aclose()
    results = await schema.stream(ROOM_TYPING)
    first = asyncio.create_task(anext(results))
    while not first.done():
        await browser.send_json_to({"typing": True})
        await asyncio.wait([first], timeout=0.1)
    assert (await first).data == {"roomTyping": {"people": [ann]}}
    await results.aclose()


async def test_query_tells_who_is_there_now(open_chat: OpenChat, open_graphql: OpenGraphQL) -> None:
    people = [await me(await open_chat(HERE)) for _ in range(2)]
    graphql = await open_graphql()
    for _ in range(2):
        await graphql.start(QUERY)
        found = (await graphql.result())["data"]["room"]["presence"]
        assert found == {"count": 2, "complete": True, "people": [{"name": by_name(*people)[0]["name"]}]}
        await graphql.receive_json_from(timeout=5)  # that it is complete


@pytest.mark.parametrize("first", [0, -1, 51])
async def test_page_of_people_has_a_size(open_graphql: OpenGraphQL, first: int) -> None:
    graphql = await open_graphql()
    await graphql.start(QUERY.replace("first: 1", f"first: {first}"))
    assert (await graphql.result())["errors"][0]["extensions"]["code"] == "invalid_page"


async def test_private_rooms_presence_is_for_its_members(open_chat: OpenChat, open_graphql: OpenGraphQL) -> None:
    owner = of_user(await in_database(User.objects.create_user, "owner"))
    await in_database(moderation.create, find("porch"), private=True, by=owner)
    graphql = await open_graphql()
    for query in (ROOM_PRESENCE, ROOM_TYPING):
        await graphql.start(query)
        frame = await graphql.receive_json_from(timeout=5)
        assert frame["payload"][0]["extensions"]["code"] == "not_a_member"
    await graphql.start(QUERY)
    assert (await graphql.result())["errors"][0]["extensions"]["code"] == "not_a_member"
    await graphql.receive_json_from(timeout=5)  # that it is complete
    await graphql.start(SET_TYPING, {"typing": True})
    assert (await graphql.result())["data"]["setTyping"]["error"]["code"] == "not_a_member"


async def test_person_who_is_put_out_hears_no_more_of_the_room_and_is_not_shown(
    open_chat: OpenChat, open_graphql: OpenGraphQL, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(people_here, "LINGER", 60)
    owner = of_user(await in_database(User.objects.create_user, "owner"))
    await in_database(moderation.create, find("porch"), private=False, by=owner)
    guest, looking = await open_chat(HERE), await open_graphql()
    await looking.start(ROOM_PRESENCE)
    await seen(looking, "roomPresence", lambda found: found["count"] == 1)
    await actions.carry_out(moderation.set_private, find("porch"), True, by=owner)
    for socket, code in ((guest, "not_a_member"), (looking, "not_a_member")):
        async with asyncio.timeout(5):
            while code not in str(frame := await socket.receive_json_from(timeout=5)):
                assert frame.get("kind") != "presence" or frame["count"] == 1
    assert not presences()._rooms[find("porch").presence_group]._here.people


async def test_flood_of_typing_is_told_once_a_second_and_closes_nothing(open_chat: OpenChat) -> None:
    ann, ben = await open_chat(HERE), await open_chat(HERE)
    await told(ann, "presence", lambda frame: frame["count"] == 2)
    began = asyncio.get_running_loop().time()
    for number in range(1000):
        await ben.send_json_to({"typing": number % 2 == 0})
    await ben.send_json_to({"message": "the end"})
    frames = []
    async with asyncio.timeout(10):
        while (frame := await ann.receive_json_from(timeout=5)).get("message") != "the end":
            frames.append(frame)
    assert len(frames) <= asyncio.get_running_loop().time() - began + 2


async def test_typing_by_mutation_has_the_rate_of_messages(open_graphql: OpenGraphQL, settings: Settings) -> None:
    settings.CHAT_LIMITS, settings.CHAT_RATE_ADDRESS = True, "2/h"
    graphql = await open_graphql(application=From("192.0.2.77"))
    answers = []
    for _ in range(3):
        await graphql.start(SET_TYPING, {"typing": True})
        answers.append((await graphql.result())["data"]["setTyping"]["error"])
        await graphql.receive_json_from(timeout=5)  # that it is complete
    assert answers[:2] == [None, None]
    assert answers[2]["code"] == "rate_limited"
    assert answers[2]["retryAfter"] > 0


@pytest.mark.parametrize("typing", [1, 0, "true", None, [], {}, 1.5])
async def test_typing_that_is_not_true_or_false_is_an_error(open_chat: OpenChat, typing: object) -> None:
    browser = await open_chat("/ws/chat/porch/")
    await browser.send_json_to({"typing": typing, "request": "q"})
    frame = await browser.receive_json_from(timeout=5)
    assert (frame["error"]["code"], frame["request"]) == ("invalid_frame", "q")


@pytest.mark.parametrize(
    "wishes", ["with=", "with=nonsense", "with=presence,,%F0%9F%A6%8A&with=typing", "with=%00", "with"]
)
async def test_words_in_with_that_nobody_knows_are_passed_over(open_chat: OpenChat, wishes: str) -> None:
    browser = await open_chat(f"/ws/chat/porch/?{wishes}")
    await browser.say("hello")
    assert (await told(browser, "message"))["message"] == "hello"
