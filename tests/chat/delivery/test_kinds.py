"""Kinds of entries that a listener gets only if it asks for them: edits and reactions, at both doors."""

import pytest
from django.db import transaction

from chat.actions import posting
from chat.delivery.hub import Hub
from chat.delivery.publisher import publish
from chat.domain.events import USUAL_KINDS, Event, Kind
from chat.domain.people import Person
from chat.domain.positions import Position
from chat.domain.reactions import Reaction
from chat.domain.rooms import Room, find
from chat.storage import entries, pages
from chat.storage.database import in_database, writes

ROOM = find("kinds")
ANN, BEN = Person(id="guest-00000000000000aa", name="Ann"), Person(id="guest-00000000000000bb", name="Ben")
ROOM_MESSAGES = """subscription Heard($after: Int, $kinds: [MessageKind!]) {
    roomMessages(rooms: [{roomName: "kinds", after: $after}], kinds: $kinds) {
        kind offset target message mentions { id } reactions { emoji count people { id name } }
    }
}"""


@writes
def change(room: Room, kind: Kind, target: int) -> Event:
    """Stores an entry that changes the message at `target`, as an action does."""
    said = {"called": [BEN]} if kind is Kind.EDIT else {"reactions": [Reaction("👍", 1, (BEN,))]}
    with transaction.atomic():
        return entries.write(entries.take_offset(room), kind=kind, text=f"a {kind}", by=ANN, target=target, **said)


async def say(text: str) -> None:
    await posting.post(room=ROOM, message=text, person=ANN)


async def say_and_change() -> None:
    """Fills the log: a message, an edit, a reaction, a message."""
    await say("one")
    for kind in (Kind.EDIT, Kind.REACTION):
        await publish(await in_database(change, ROOM, kind, 1))
    await say("four")


@pytest.mark.parametrize(
    ("kinds", "offsets"),
    [
        (USUAL_KINDS, [1, 4]),
        (USUAL_KINDS | {Kind.EDIT}, [1, 2, 4]),
        (USUAL_KINDS | {Kind.REACTION}, [1, 3, 4]),
        (frozenset(Kind), [1, 2, 3, 4]),
        (frozenset({Kind.MESSAGE}), [1, 4]),
    ],
)
@pytest.mark.parametrize("live", [True, False])
async def test_listener_hears_the_kinds_it_asks_for_and_none_else(kinds: frozenset, offsets: list, live: bool) -> None:
    if not live:
        await say_and_change()
    async with Hub.here().listen([ROOM], {ROOM: Position(0)}, ANN, kinds) as listener:
        if live:
            await say_and_change()
        heard = [await anext(listener) for _ in offsets]
        assert [event.offset for event in heard] == offsets
        assert listener.positions[ROOM.group] == 4


async def test_listener_that_asks_for_no_kind_is_told_to_start_over() -> None:
    await say("one")
    async with Hub.here().listen([ROOM], {ROOM: Position(1, "of another log")}, ANN, frozenset()) as listener:
        assert (await anext(listener)).kind is Kind.START_OVER


async def test_history_page_has_no_edits_and_reactions() -> None:
    await say_and_change()
    page = await in_database(pages.page, ROOM, person=ANN, size=2, from_end=True)
    assert ([event.offset for event in page.events], page.has_earlier) == ([1, 4], False)


@pytest.mark.parametrize(
    ("wishes", "offsets"),
    [
        ("", [1, 4]),
        ("&with=", [1, 4]),
        ("&with=edits", [1, 2, 4]),
        ("&with=edits,reactions", [1, 2, 3, 4]),
        ("&with=reactions&with=edits", [1, 2, 3, 4]),
        ("&with=of-a-newer-release,reactions", [1, 3, 4]),
        ("&with=%FF,edits", [1, 2, 4]),
    ],
)
@pytest.mark.parametrize("live", [True, False])
async def test_browser_socket_is_sent_the_kinds_in_with(open_chat, wishes: str, offsets: list, live: bool) -> None:
    if not live:
        await say_and_change()
    socket = await open_chat(f"/ws/chat/kinds/?after=0{wishes}")
    if live:
        await say_and_change()
    frames = {frame["offset"]: frame for frame in [await socket.receive_json_from(timeout=5) for _ in offsets]}
    assert [*frames] == offsets
    if 2 in frames:
        assert frames[2].items() >= {"kind": "edit", "target": 1, "message": "a edit", "mentions": [BEN.id]}.items()
    if 3 in frames:
        state = [{"emoji": "👍", "count": 1, "people": [BEN.id], "names": ["Ben"]}]
        assert frames[3].items() >= {"kind": "reaction", "target": 1, "reactions": state}.items()


@pytest.mark.parametrize(
    ("kinds", "offsets"),
    [
        (None, [1, 4]),
        (["MESSAGE"], [1, 4]),
        (["EDIT"], [2]),
        (["MESSAGE", "EDIT", "REACTION"], [1, 2, 3, 4]),
    ],
)
@pytest.mark.parametrize("live", [True, False])
async def test_room_messages_yields_the_kinds_named(
    open_graphql, subprotocol: str, kinds: list | None, offsets: list, live: bool
) -> None:
    if not live:
        await say_and_change()
    graphql = await open_graphql(subprotocol)
    await graphql.start(ROOM_MESSAGES, {"after": 0, "kinds": kinds})
    if live:
        await say_and_change()
    heard = [(await graphql.result())["data"]["roomMessages"] for _ in offsets]
    assert [one["offset"] for one in heard] == offsets
    by_kind = {one["kind"]: one for one in heard}
    if "EDIT" in by_kind:
        assert by_kind["EDIT"].items() >= {"target": 1, "message": "a edit", "mentions": [{"id": BEN.id}]}.items()
    if "REACTION" in by_kind:
        people = [{"id": BEN.id, "name": "Ben"}]
        assert by_kind["REACTION"]["reactions"] == [{"emoji": "👍", "count": 1, "people": people}]


async def test_join_chat_rooms_without_the_kind_greeting_yields_none(open_graphql) -> None:
    graphql = await open_graphql()
    await graphql.subscribe(
        'subscription { joinChatRooms(rooms: [{roomName: "kinds"}], user: "foo", kinds: [MESSAGE], '
        'positions: [{roomName: "kinds", after: 0}]) { message } }'
    )
    await say("one")
    assert (await graphql.result())["data"]["joinChatRooms"] == {"message": "one"}
