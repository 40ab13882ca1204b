"""Reactions at both doors, and between processes."""

import asyncio
import contextlib
import itertools
import json
import time
from typing import Any
from unittest import mock

import pytest
import websockets
from asgiref.sync import sync_to_async
from pytest_django import Settings

from chat.actions import posting
from chat.actions.moderation import carry_out
from chat.domain.events import Kind
from chat.domain.people import Person, new_guest
from chat.domain.reactions import PEOPLE_NAMED, ReactionRequest
from chat.domain.rooms import Room, find
from chat.models import Message, MessageReaction
from chat.storage import history, moderation, reactions
from chat.storage.database import in_database
from tests.conftest import GraphQLSocket
from tests.servers import UVICORN
from tests.test_private_rooms import guest, user

ROOM = find("reactions/1")
URL = f"/ws{ROOM.get_absolute_url()}"
REACT = """mutation React($input: ReactInput!) { react(input: $input) {
    entry { kind target offset reactions { emoji count people { id name } } } error { code retryAfter }
} }"""
HEAR = """subscription ($kinds: [MessageKind!]) { roomMessages(rooms: [{roomName: "reactions/1"}], kinds: $kinds) {
    kind offset target reactions { emoji count people { name } }
} }"""
ids = map(str, itertools.count(100))


async def say(text: str = "hello", person: Person | None = None, room: Room = ROOM) -> int:
    entry = await posting.post(room=room, message=text, person=person or new_guest("Ann"), trusted=True)
    assert entry.event.offset
    return entry.event.offset


async def mutate(graphql: GraphQLSocket, **given: Any) -> dict[str, Any]:
    """The payload of `react`; what comes for other operations meanwhile is passed over."""
    id = next(ids)
    await graphql.start(REACT, {"input": {"roomName": ROOM.name, **given}}, id)
    while (frame := await graphql.receive_json_from(timeout=5))["id"] != id or frame["type"] == "complete":
        pass
    assert "errors" not in frame["payload"], frame
    return frame["payload"]["data"]["react"]


async def test_reaction_at_the_socket_reaches_both_doors(open_chat, open_graphql, subprotocol: str) -> None:
    target, ben = await say(), await guest()
    graphql = await open_graphql(subprotocol)
    await graphql.subscribe(HEAR, {"kinds": ["REACTION"]})
    socket = await open_chat(f"{URL}?with=reactions", headers=ben.headers)
    await socket.send_json_to({"react": target, "emoji": "❤", "on": True})
    state = [{"emoji": "❤️", "count": 1, "people": [ben.person.id], "names": [ben.person.name]}]
    frame = await socket.frame("reaction")
    assert frame.items() >= {"target": target, "offset": target + 1, "reactions": state}.items()
    assert (frame["message"], frame["user_id"]) == (f"{ben.person.name} reacted.", ben.person.id)
    heard = (await graphql.result())["data"]["roomMessages"]
    people = [{"name": ben.person.name}]
    assert heard == {
        "kind": "REACTION",
        "offset": target + 1,
        "target": target,
        "reactions": [{"emoji": "❤️", "count": 1, "people": people}],
    }
    await socket.send_json_to({"react": target, "emoji": "❤️", "on": False})
    assert (await socket.frame("reaction"))["reactions"] == []


async def test_reaction_by_mutation_reaches_the_socket_and_history(open_chat, open_graphql, subprotocol: str) -> None:
    target = await say()
    socket = await open_chat(f"{URL}?with=reactions")
    graphql = await open_graphql(subprotocol)
    done = await mutate(graphql, offset=target, emoji="👍🏽")
    assert done["error"] is None
    assert done["entry"].items() >= {"kind": "REACTION", "target": target, "offset": target + 1}.items()
    ((emoji, count, people),) = [one.values() for one in done["entry"]["reactions"]]
    assert (emoji, count) == ("👍🏽", 1)
    state = [{"emoji": emoji, "count": 1, "people": [people[0]["id"]], "names": [people[0]["name"]]}]
    assert (await socket.frame("reaction"))["reactions"] == state
    await socket.send_json_to({"before": target + 1})
    (message,) = (await socket.frame("history"))["messages"]
    assert message["reactions"] == [{**state[0], "own": False}]
    again = await mutate(graphql, offset=target, emoji="👍🏽", on=True)
    assert again == done


async def test_message_without_reactions_has_no_key_for_them(open_chat) -> None:
    target = await say()
    socket = await open_chat(URL)
    await socket.send_json_to({"before": target + 1})
    (message,) = (await socket.frame("history"))["messages"]
    assert "reactions" not in message


async def crowd_reacts(target: int) -> None:
    crowd = [ReactionRequest(new_guest("Zoë"), "👍", True) for _ in range(PEOPLE_NAMED)]
    await in_database(reactions.react, ROOM, target, crowd)


async def test_history_frame_says_which_reactions_are_the_persons_own_past_those_named(open_chat) -> None:
    target, ann, ben = await say(), await guest(), await guest()
    await crowd_reacts(target)
    await in_database(reactions.react, ROOM, target, [ReactionRequest(ann.person, "👍", True)])
    for person, own in ((ann, True), (ben, False)):
        socket = await open_chat(f"{URL}?with=reactions", headers=person.headers)
        await socket.send_json_to({"before": target + 1})
        (message,) = (await socket.frame("history"))["messages"]
        assert [(one["count"], one["own"]) for one in message["reactions"]] == [(PEOPLE_NAMED + 1, own)]


OWN = """query { room(name: "reactions/1") { messages(last: 2) { edges { node { reactions { emoji own } } } } } }"""


async def test_own_reactions_of_a_page_take_one_query_in_graphql(open_graphql, subprotocol: str) -> None:
    first, second, ann, ben = await say(), await say(), await guest(), await guest()
    for target in (first, second):
        await crowd_reacts(target)
    await in_database(reactions.react, ROOM, first, [ReactionRequest(ann.person, "👍", True)])
    await in_database(reactions.react, ROOM, second, [ReactionRequest(ann.person, "🎉", True)])
    for person, own in ((ann, [[True], [False, True]]), (ben, [[False], [False, False]])):
        graphql = await open_graphql(subprotocol, headers=person.headers)
        with mock.patch("chat.storage.reactions.own", wraps=reactions.own) as asked:
            await graphql.start(OWN)
            edges = (await graphql.result())["data"]["room"]["messages"]["edges"]
        assert [[one["own"] for one in edge["node"]["reactions"]] for edge in edges] == own
        assert asked.call_count == 1


async def test_own_reaction_is_told_in_the_answer_of_a_mutation_and_null_in_subscriptions(
    open_graphql, subprotocol: str
) -> None:
    target, ann = await say(), await guest()
    await crowd_reacts(target)
    heard, asking = await open_graphql(subprotocol), await open_graphql(subprotocol, headers=ann.headers)
    await heard.subscribe(HEAR.replace("count", "count own"), {"kinds": ["REACTION"]})
    react = REACT.replace("count", "count own")
    await asking.start(react, {"input": {"roomName": ROOM.name, "offset": target, "emoji": "👍"}})
    entry = (await asking.result())["data"]["react"]["entry"]
    assert [(one["count"], one["own"]) for one in entry["reactions"]] == [(PEOPLE_NAMED + 1, True)]
    told = (await heard.result())["data"]["roomMessages"]
    assert [(one["count"], one["own"]) for one in told["reactions"]] == [(PEOPLE_NAMED + 1, None)]


BAD_FRAMES: list[tuple[dict[str, Any], str]] = [
    ({"react": "x"}, "invalid_position"),
    ({"react": -1}, "invalid_position"),
    ({"react": 1.5}, "invalid_position"),
    ({"react": True}, "invalid_position"),
    ({"react": None}, "invalid_position"),
    ({"react": [1]}, "invalid_position"),
    ({"react": 2**63}, "invalid_position"),
    ({"emoji": "👍👍"}, "invalid_emoji"),
    ({"emoji": "1"}, "invalid_emoji"),
    ({"emoji": ""}, "invalid_emoji"),
    ({"emoji": "\ud83d"}, "invalid_emoji"),
    ({"emoji": None}, "invalid_emoji"),
    ({"emoji": {}}, "invalid_emoji"),
    ({"on": "true"}, "invalid_frame"),
    ({"on": 1}, "invalid_frame"),
    ({"on": None}, "invalid_frame"),
    ({"request": 7}, "invalid_frame"),
    ({"react": 99}, "no_such_message"),
    ({"react": 0}, "no_such_message"),
    ({"react": 2}, "no_such_message"),  # deleted
    ({"react": 3}, "no_such_message"),  # the deletion
    ({"react": 4}, "too_many_reactions"),
]


@pytest.fixture
async def log_with_everything() -> None:
    """A message, a deleted one, its deletion, and one that has all reactions that it may have."""
    for text in ("one", "two"):
        await say(text)
    await carry_out(moderation.delete_message, ROOM, 2, by=None)
    full = await say("full")
    emoji = [chr(0x1F600 + number) for number in range(20)]
    await in_database(reactions.react, ROOM, full, [ReactionRequest(new_guest("Ann"), one, True) for one in emoji])


@pytest.mark.parametrize(("frame", "code"), BAD_FRAMES, ids=lambda given: str(given).encode("ascii", "replace"))
async def test_frame_that_can_not_be_met_is_answered_by_an_error(
    open_chat, log_with_everything: None, frame: dict[str, Any], code: str
) -> None:
    socket = await open_chat(f"{URL}?with=reactions")
    await socket.send_json_to({"react": 1, "emoji": "👍", "on": True, "request": "r1", **frame})
    answer = await socket.receive_json_from(timeout=5)
    assert (answer["kind"], answer["error"]["code"]) == ("error", code)
    if "request" not in frame:
        assert answer["request"] == "r1"
    await socket.say("still open")
    assert await socket.hear() == "still open"


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"offset": -1}, "invalid_position"),
        ({"offset": 99}, "no_such_message"),
        ({"offset": 2}, "no_such_message"),
        ({"offset": 3}, "no_such_message"),
        ({"offset": 4}, "too_many_reactions"),
        ({"emoji": "👍👍"}, "invalid_emoji"),
        ({"emoji": "#"}, "invalid_emoji"),
        ({"roomName": ""}, "invalid_room_name"),
    ],
)
async def test_mutation_that_can_not_be_met_has_an_error(
    open_graphql, log_with_everything: None, given: dict[str, Any], code: str
) -> None:
    done = await mutate(await open_graphql(), **{"offset": 1, "emoji": "👍", **given})
    assert done == {"entry": None, "error": {"code": code, "retryAfter": None}}


async def test_rate_of_reactions_is_limited(open_chat, settings: Settings) -> None:
    settings.CHAT_LIMITS, settings.CHAT_RATE_PERSON = True, "1/1h"
    target, ben = await say(), await guest()
    socket = await open_chat(f"{URL}?with=reactions", headers=ben.headers)
    await socket.send_json_to({"react": target, "emoji": "👍"})
    await socket.frame("reaction")
    await socket.send_json_to({"react": target, "emoji": "🎉"})
    answer = await socket.receive_json_from(timeout=5)
    assert answer["error"]["code"] == "rate_limited"
    assert answer["error"]["retry_after"] > 3000
    await socket.say("not limited by that")
    assert await socket.hear() == "not limited by that"


async def test_reaction_with_a_request_is_answered_once_stored(open_chat) -> None:
    target = await say()
    socket = await open_chat(URL)  # which asked for nothing more than every client gets
    for request in ("first", "again"):
        await socket.send_json_to({"react": target, "emoji": "👍", "on": True, "request": request})
        answer = await socket.receive_json_from(timeout=5)
        assert answer.items() >= {"kind": "reacted", "target": target, "request": request}.items()
        assert [(one["emoji"], one["count"]) for one in answer["reactions"]] == [("👍", 1)]
    await socket.send_json_to({"react": target, "emoji": "🎉", "on": False, "request": "never set"})
    assert (await socket.receive_json_from(timeout=5))["reactions"] == answer["reactions"]


async def test_what_a_person_says_does_not_wait_for_their_reaction(open_chat) -> None:
    target = await say()
    socket = await open_chat(URL)
    await socket.send_json_to({"react": target, "emoji": "👍", "request": "at once"})
    assert (await socket.receive_json_from(timeout=5))["request"] == "at once"
    await socket.send_json_to({"react": target, "emoji": "🎉", "request": "a second later"})
    await socket.say("meanwhile")
    assert await socket.hear() == "meanwhile"
    assert (await socket.receive_json_from(timeout=5))["request"] == "a second later"


async def test_client_that_asks_for_no_reactions_hears_none_and_its_position_moves_on(open_chat, open_graphql) -> None:
    target = await say()
    older, graphql = await open_chat(URL), await open_graphql()
    await graphql.subscribe(HEAR)
    await in_database(reactions.react, ROOM, target, [ReactionRequest(new_guest("Ann"), "👍", True)])
    assert await say("next") == target + 2
    assert (await older.receive_json_from(timeout=5))["offset"] == target + 2
    assert (await graphql.result())["data"]["roomMessages"]["offset"] == target + 2


@pytest.mark.parametrize("wanted", [True, False])
async def test_recovery_brings_reactions_to_those_who_ask(open_chat, wanted: bool) -> None:
    target = await say()
    await in_database(reactions.react, ROOM, target, [ReactionRequest(new_guest("Ann"), "👍", True)])
    await say("next")
    socket = await open_chat(f"{URL}?after={target}{'&with=reactions' if wanted else ''}")
    frames = [await socket.receive_json_from(timeout=5) for _ in range(2 if wanted else 1)]
    assert [frame["kind"] for frame in frames] == ["reaction", "message"][-len(frames) :]
    assert await socket.receive_nothing(timeout=0.1)


async def test_recovery_starts_over_when_a_reaction_was_lost_with_the_log(open_chat) -> None:
    target = await say()
    reacted = await in_database(reactions.react, ROOM, target, [ReactionRequest(new_guest("Ann"), "👍", True)])

    def go_back() -> None:
        Message.objects.filter(offset=reacted.entry.offset).delete()
        MessageReaction.objects.all().delete()
        history.models.Room.objects.update(last_offset=target)

    await sync_to_async(go_back)()
    await say("another")
    socket = await open_chat(f"{URL}?with=reactions&after={reacted.entry.offset}&id={reacted.entry.id}")
    assert (await socket.receive_json_from(timeout=5))["kind"] == "start_over"


async def test_people_who_may_not_be_there_can_not_react(open_chat, open_graphql) -> None:
    owner = await user("owner")
    await carry_out(moderation.create, ROOM, private=True, by=owner.person)
    target = await say()
    stranger = await guest()
    done = await mutate(await open_graphql(), offset=target, emoji="👍")
    assert done["error"]["code"] == "not_a_member"
    assert (await mutate(await open_graphql(), offset=99, emoji="👍"))["error"]["code"] == "not_a_member"
    await carry_out(moderation.set_private, ROOM, False, by=None)
    socket = await open_chat(f"{URL}?with=reactions", headers=stranger.headers)
    await socket.live()
    await carry_out(moderation.ban, ROOM, stranger.person.id, by=None)
    await socket.send_json_to({"react": target, "emoji": "👍"})
    assert (await socket.receive_json_from(timeout=5))["kind"] == "notice"
    assert (await socket.receive_json_from(timeout=5))["error"]["code"] == "banned"
    assert not await MessageReaction.objects.aexists()


async def test_removed_member_hears_no_later_reaction(open_chat) -> None:
    owner, member = await user("owner"), await user("member")
    await carry_out(moderation.create, ROOM, private=True, by=owner.person)
    await carry_out(moderation.set_role, ROOM, "member", "member", by=owner.person)
    target = await say()
    socket = await open_chat(f"{URL}?with=reactions&after={target}", headers=member.headers)
    await socket.live()  # else its recovery might be refused, and bring no notice
    await carry_out(moderation.remove_member, ROOM, "member", by=owner.person)
    await in_database(reactions.react, ROOM, target, [ReactionRequest(owner.person, "👍", True)])
    kinds = [(await socket.receive_json_from(timeout=5))["kind"] for _ in range(2)]
    assert kinds == ["notice", "error"]
    assert (await socket.receive_output(timeout=5))["type"] == "websocket.close"


async def crowd(host: str, people: int, emoji: str, target: int) -> list[dict[str, Any]]:
    """So many guests, each a connection of its own, who all react and wait for the answer."""

    async def one() -> dict[str, Any]:
        async with websockets.connect(f"ws://{host}/ws/chat/crowd/", origin=f"http://{host}") as socket:
            await socket.send(json.dumps({"react": target, "emoji": emoji, "request": "r"}))
            while (frame := json.loads(await socket.recv())).get("request") != "r":
                pass
            return frame

    return list(await asyncio.gather(*(one() for _ in range(people))))


async def test_counts_are_equal_and_right_everywhere_after_many_react_at_three_processes(start_servers) -> None:
    room, people, emoji = find("crowd"), 40, ["👍", "🎉", "❤️"]
    target = await say(room=room)
    servers = await asyncio.to_thread(start_servers, 3, UVICORN, CHAT_LIMITS="false")
    async with asyncio.timeout(60), contextlib.AsyncExitStack() as stack:
        listeners = [
            await stack.enter_async_context(
                websockets.connect(f"ws://{one.host}/ws/chat/crowd/?with=reactions", origin=f"http://{one.host}")
            )
            for one in servers
        ]
        begun = time.monotonic()
        answers = await asyncio.gather(
            *(crowd(server.host, people, one, target) for server in servers for one in emoji)
        )
        seconds = time.monotonic() - begun
        expected = {one: people * len(servers) for one in emoji}
        last = await in_database(history.end, room, person=None)
        for socket in listeners:
            while (frame := json.loads(await socket.recv()))["offset"] < last.offset:
                assert frame["kind"] == "reaction"
            assert {one["emoji"]: one["count"] for one in frame["reactions"]} == expected
    assert all(answer["kind"] == "reacted" for some in answers for answer in some)
    message = await in_database(history.find, room, target)
    assert {one.emoji: one.count for one in message.reactions} == expected
    assert all(len(one.people) == PEOPLE_NAMED for one in message.reactions)
    entries = await Message.objects.filter(kind=Kind.REACTION).acount()
    assert entries <= len(servers) * (seconds + 1)
    offsets = [one async for one in Message.objects.order_by("offset").values_list("offset", flat=True)]
    assert offsets == [*range(1, last.offset + 1)]
