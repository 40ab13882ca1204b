"""Frames about one's own rooms at the browser's socket."""

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import AsyncClient

from chat import models
from chat.actions import direct, profiles
from chat.domain.people import Person, of_user
from chat.domain.profiles import ProfileChange
from chat.domain.rooms import find
from chat.storage import log, moderation, readings
from chat.storage.database import in_database
from chat.storage.readings import Mark
from tests.conftest import ChatSocket
from tests.test_identity import cookies_of

BEN = Person(id="guest-bbbbbbbbbbbbbbbb", name="Ben")


async def say(room: str, *texts: str) -> None:
    await in_database(log.append, [log.Draft(room=find(room), text=text, person=BEN) for text in texts or ("hi",)])


@pytest.fixture
async def ann(transactional_db: None) -> Person:
    user = await in_database(get_user_model().objects.create, username="ann")
    person = Person(id=f"user-{user.pk}", name="ann")
    await in_database(readings.enter, [Mark(find(name), person) for name in ("room1", "room2")])
    return person


@pytest.fixture
async def cookies(ann: Person) -> Any:
    browser = AsyncClient()
    await browser.aforce_login(await in_database(get_user_model().objects.get))
    return cookies_of(browser)


async def rooms_frame(socket: ChatSocket) -> dict[str, Any]:
    """The next frame about rooms; others may come in between."""
    while True:
        frame = await socket.receive_json_from(timeout=5)
        if frame["kind"] == "rooms":
            return frame


async def until(socket: ChatSocket, **unread: int | None) -> None:
    """Waits until a frame tells that these rooms have so much that is unread, or are gone (None)."""
    wanted = dict(unread)
    while wanted:
        for room in (await rooms_frame(socket))["rooms"]:
            now = None if room["involvement"] is None else room["unread"]
            if wanted.get(room["name"], "") == now:
                del wanted[room["name"]]


def one(name: str, unread: int, read: int, involvement: str = "all") -> dict[str, Any]:
    """A room as frames tell of it, in which all but what is read was said by others."""
    counts = {"unread": unread, "mentions_unread": 0, "read": read, "last_offset": read + unread}
    return {"name": name, **counts, "involvement": involvement}


async def test_client_that_asks_gets_all_its_rooms_first_and_then_changes(open_chat: Any, cookies: Any) -> None:
    await say("room2", "1", "2")
    socket = await open_chat("/ws/chat/room1/?with=rooms", headers=cookies)
    first = await rooms_frame(socket)
    assert first["complete"] is True
    assert first["rooms"] == [one("room2", 2, 0), one("room1", 0, 0)]
    other = await open_chat("/ws/chat/room2/")
    await other.say("3")
    assert await rooms_frame(socket) == {"kind": "rooms", "complete": False, "rooms": [one("room2", 3, 0)]}


async def test_client_that_did_not_ask_gets_no_frame_without_a_message(open_chat: Any, cookies: Any) -> None:
    socket = await open_chat("/ws/chat/room1/", headers=cookies)
    await socket.send_json_to({"read": 0})
    other = await open_chat("/ws/chat/room2/")
    await other.say("unheard")
    await socket.say("hello")
    assert (await socket.receive_json_from(timeout=5))["message"] == "hello"
    assert await socket.receive_nothing(timeout=0.5)


async def test_guest_without_a_session_has_no_rooms(open_chat: Any) -> None:
    socket = await open_chat("/ws/chat/room1/?with=rooms")
    await socket.send_json_to({"read": 0})
    await socket.send_json_to({"involvement": "nothing"})
    await socket.send_json_to({"ping": 1})
    assert await socket.receive_json_from(timeout=5) == {"pong": 1}
    assert not await in_database(models.Reading.objects.exists)


async def test_frames_change_ones_rooms_on_all_devices(open_chat: Any, cookies: Any) -> None:
    await say("room1", "1", "2", "3")
    await say("room2", "1")
    socket = await open_chat("/ws/chat/room1/?with=rooms", headers=cookies)
    device = await open_chat("/ws/chat/elsewhere/?with=rooms", headers=cookies)
    await until(socket, room1=3, room2=1)
    await until(device, room1=3, room2=1)
    for frame, unread in [
        ({"read": 2}, {"room1": 1}),
        ({"unread": 1}, {"room1": 3}),
        ({"read_all": True}, {"room1": 0, "room2": 0}),
        ({"involvement": "mentions", "room": "room2"}, {"room2": 0}),
        ({"leave": "room2"}, {"room2": None}),
    ]:
        await socket.send_json_to(frame)
        await until(socket, **unread)
        await until(device, **unread)
    stored = await in_database(lambda: list(models.Reading.objects.values_list("room_name", "involvement")))
    assert stored == [("room1", "all")]


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ({"read": -1}, "invalid_position"),
        ({"read": "x"}, "invalid_position"),
        ({"read": None}, "invalid_position"),
        ({"read": True}, "invalid_position"),
        ({"read": 2**63}, "invalid_position"),
        ({"read": [1]}, "invalid_position"),
        ({"unread": 1.5}, "invalid_position"),
        ({"unread": {}}, "invalid_position"),
        ({"involvement": "some"}, "invalid_frame"),
        ({"involvement": ["all"]}, "invalid_frame"),
        ({"involvement": None}, "invalid_frame"),
        ({"involvement": "all", "room": ""}, "invalid_room_name"),
        ({"involvement": "all", "room": 5}, "invalid_room_name"),
        ({"involvement": "all", "room": "closed"}, "not_a_member"),
        ({"leave": None}, "invalid_room_name"),
        ({"leave": "\ud800"}, "invalid_room_name"),
        ({"leave": "x" * 101}, "invalid_room_name"),
    ],
)
async def test_frame_that_cannot_be_met_is_an_error_and_the_socket_stays_open(
    open_chat: Any, cookies: Any, frame: dict[str, Any], code: str
) -> None:
    await in_database(moderation.create, find("closed"), private=True, by=None)
    socket = await open_chat("/ws/chat/room1/", headers=cookies)
    await socket.send_json_to({**frame, "request": "r1"})
    answer = await socket.receive_json_from(timeout=5)
    assert (answer["error"]["code"], answer["request"]) == (code, "r1")
    await socket.say("still here")
    assert await socket.hear() == "still here"


async def test_last_owner_who_leaves_is_told_why_not(open_chat: Any, cookies: Any, ann: Person) -> None:
    await in_database(moderation.create, find("mine"), private=True, by=ann)
    socket = await open_chat("/ws/chat/room1/", headers=cookies)
    await socket.send_json_to({"leave": "mine"})
    assert (await socket.receive_json_from(timeout=5))["error"]["code"] == "last_owner"


async def test_socket_that_closes_leaves_all_rooms(open_chat: Any, cookies: Any, hub: Any, eventually: Any) -> None:
    socket = await open_chat("/ws/chat/room1/?with=rooms", headers=cookies)
    await rooms_frame(socket)
    await eventually(lambda: hub().audience(find("room2")) == 1)
    await socket.disconnect(timeout=5)
    await eventually(lambda: not hub()._feeds)


async def test_direct_room_is_told_by_the_new_name_of_somebody_in_it(open_chat: Any, ann: Person, cookies: Any) -> None:
    ben = of_user(await in_database(get_user_model().objects.create, username="ben"))
    room = await direct.open_room(["ann"], by=ben)
    await in_database(readings.enter, [Mark(room, ann), Mark(room, ben)])
    socket = await open_chat("/ws/chat/room1/?with=rooms", headers=cookies)
    names = {one["name"]: one.get("display_name") for one in (await rooms_frame(socket))["rooms"]}
    assert names[room.name] == "ben"
    await profiles.update(ProfileChange.clean(display_name="Ben B."), by=ben)
    (told,) = (await rooms_frame(socket))["rooms"]
    assert (told["name"], told["display_name"]) == (room.name, "Ben B.")
    assert told["people"] == [{"id": ben.id, "name": "Ben B."}]
