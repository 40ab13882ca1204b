"""Ignoring people at both doors: who is told, and what is unread on all devices."""

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import AsyncClient

from chat.domain.people import Person
from chat.domain.rooms import find
from chat.storage import log, readings
from chat.storage.database import in_database
from chat.storage.drafts import Draft
from chat.storage.readings import Mark
from mysite.graphql import schema
from tests.conftest import ChatSocket
from tests.gqlchat.schema.test_loaders import Request
from tests.test_identity import cookies_of

LOUD, QUIET = Person(id="guest-00000000000000aa", name="Loud"), Person(id="guest-00000000000000bb", name="Quiet")
IGNORE = "mutation ($input: IgnorePersonInput!) { it: ignorePerson(input: $input) { error { code } } }"
ME = "{ me { id ignored { id name } } }"


@pytest.fixture
async def ann(transactional_db: None) -> Any:
    user = await get_user_model().objects.acreate_user("ann")
    await in_database(readings.enter, [Mark(find(name), person(user)) for name in ("room1", "room2")])
    return user


def person(user: Any) -> Person:
    return Person(id=f"user-{user.pk}", name=user.username)


async def cookies(user: Any) -> Any:
    browser = AsyncClient()
    await browser.aforce_login(user)
    return cookies_of(browser)


async def say(by: Person, text: str = "hi", room: str = "room2") -> None:
    await in_database(log.append, [Draft(room=find(room), text=text, person=by)])


async def ask(query: str, user: Any, **variables: Any) -> Any:
    result = await schema.execute(query, variables, context_value={"request": Request(user)})
    assert not result.errors, result.errors
    return result.data


async def ignore(user: Any, person_id: str, ignored: bool = True) -> str | None:
    error = (await ask(IGNORE, user, input={"personId": person_id, "ignored": ignored}))["it"]["error"]
    return error and error["code"]


async def until_ignored(socket: ChatSocket, *ids: str) -> None:
    """Waits until a frame of the rooms tells that these people are ignored."""
    while (ignored := (await socket.frame("rooms")).get("ignored")) is None or [one["id"] for one in ignored] != [*ids]:
        pass


async def test_all_devices_of_a_person_are_told_whom_they_ignore(open_chat: Any, ann: Any) -> None:
    await say(LOUD)
    one, other = [await open_chat("/ws/chat/room1/?with=rooms", headers=await cookies(ann)) for _ in range(2)]
    for socket in (one, other):
        assert (await socket.frame("rooms"))["ignored"] == []
    await one.send_json_to({"ignore": LOUD.id, "request": "r"})
    assert await one.frame("ignored", "error") == {
        "kind": "ignored",
        "people": [{"id": LOUD.id, "name": "Loud"}],
        "request": "r",
    }
    await until_ignored(other, LOUD.id)
    assert (await ask(ME, ann))["me"]["ignored"] == [{"id": LOUD.id, "name": "Loud"}]
    assert await ignore(ann, LOUD.id, False) is None
    await until_ignored(other)


async def test_what_ignored_people_say_is_not_unread_live(open_chat: Any, ann: Any) -> None:
    socket = await open_chat("/ws/chat/room1/?with=rooms", headers=await cookies(ann))
    other = await open_chat("/ws/chat/room2/")

    async def until(unread: int) -> None:
        while True:
            for room in (await socket.frame("rooms"))["rooms"]:
                if (room["name"], room["unread"]) == ("room2", unread):
                    return

    await other.say("1")
    loud = (await other.receive_json_from(timeout=5))["user_id"]
    await until(1)
    await socket.send_json_to({"ignore": loud})
    await until(0)
    await other.say("2")
    quiet = await open_chat("/ws/chat/room2/")
    await quiet.say("3")
    await until(1)
    await socket.send_json_to({"ignore": loud, "on": False})
    await until(3)


async def test_message_of_an_ignored_person_is_sent_all_the_same(open_chat: Any, ann: Any) -> None:
    socket = await open_chat("/ws/chat/room2/", headers=await cookies(ann))
    other = await open_chat("/ws/chat/room2/")
    await other.say("1")
    await socket.send_json_to({"ignore": (await socket.frame("message"))["user_id"]})
    await socket.frame("ignored")
    await other.say("2")
    assert (await socket.frame("message"))["message"] == "2"


async def test_guest_ignores_people_while_the_session_lasts(open_chat: Any, ann: Any) -> None:
    browser = AsyncClient()
    await browser.get("/chat/room1/")
    await browser.get("/chat/room1/")
    socket = await open_chat("/ws/chat/room1/?with=rooms", headers=cookies_of(browser))
    await socket.send_json_to({"ignore": f"user-{ann.pk}"})
    assert (await socket.frame("ignored", "error"))["people"] == [{"id": f"user-{ann.pk}", "name": "ann"}]
    again = await open_chat("/ws/chat/room2/?with=rooms", headers=cookies_of(browser))
    assert (await again.frame("rooms"))["ignored"] == [{"id": f"user-{ann.pk}", "name": "ann"}]


async def test_guest_without_a_session_is_told_that_nothing_can_be_remembered(open_chat: Any, ann: Any) -> None:
    socket = await open_chat("/ws/chat/room1/")
    await socket.send_json_to({"ignore": LOUD.id})
    assert (await socket.frame("ignored", "error"))["error"]["code"] == "not_allowed"


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ({"ignore": None}, "no_such_person"),
        ({"ignore": 7}, "no_such_person"),
        ({"ignore": ["guest-00000000000000aa"]}, "no_such_person"),
        ({"ignore": ""}, "no_such_person"),
        ({"ignore": "room"}, "no_such_person"),
        ({"ignore": "user-999999"}, "no_such_person"),
        ({"ignore": "guest-0\u0000"}, "no_such_person"),
        ({"ignore": LOUD.id, "on": "no"}, "invalid_frame"),
        ({"ignore": LOUD.id, "request": 1}, "invalid_frame"),
    ],
)
async def test_bad_frame_about_ignoring_gets_an_error(
    open_chat: Any, ann: Any, frame: dict[str, Any], code: str
) -> None:
    socket = await open_chat("/ws/chat/room1/", headers=await cookies(ann))
    await socket.send_json_to(frame)
    assert (await socket.frame("ignored", "error"))["error"]["code"] == code


@pytest.mark.parametrize("person_id", ["", "room", "user-999999", "user-x", "guest-1", "\ud800", "x" * 1000])
async def test_bad_id_in_graphql_gets_an_error(ann: Any, person_id: str) -> None:
    assert await ignore(ann, person_id) == "no_such_person"


async def test_nobody_ignores_themselves(ann: Any) -> None:
    assert await ignore(ann, f"user-{ann.pk}") == "not_allowed"


async def test_whom_a_person_ignores_is_told_to_nobody_else(ann: Any) -> None:
    ben = await get_user_model().objects.acreate_user("ben")
    await say(person(ann))
    assert await ignore(ann, LOUD.id) is None
    query = '{ me { ignored { id } } room(name: "room2") { lastMessage { user { id ignored { id } } } } }'
    for user, mine in ((ann, [{"id": LOUD.id}]), (ben, [])):
        found = await ask(query, user)
        assert found["me"]["ignored"] == mine
        assert found["room"]["lastMessage"]["user"] == {"id": f"user-{ann.pk}", "ignored": None}
