"""Read-only rooms and slow mode at both doors."""

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import AsyncClient

from chat import models
from chat.actions.moderation import carry_out
from chat.domain import people
from chat.domain.rooms import find
from chat.storage import moderation
from chat.storage.database import in_database
from mysite.graphql import schema
from tests.conftest import ChatSocket
from tests.gqlchat.schema.test_loaders import Request
from tests.test_identity import cookies_of

ROOM = find("limited")
POST = """mutation ($clientId: String) {
    postMessage(input: { roomName: "limited", message: "hi", clientId: $clientId }) {
        message { offset } error { code message retryAfter }
    }
}"""
EDIT = """mutation { editMessage(input: { roomName: "limited", offset: 2, message: "other" }) { error { code } } }"""
SET = {
    "readOnly": "mutation ($v: Boolean!) { it: setReadOnly(input: { roomName: %s, readOnly: $v }) %s }",
    "seconds": "mutation ($v: Int!) { it: setSlowMode(input: { roomName: %s, seconds: $v }) %s }",
}
PAYLOAD = "{ entry { kind access message } error { code } }"
LIMITS = '{ room(name: "limited") { readOnly slowMode } }'


@pytest.fixture
async def owner(transactional_db: None) -> Any:
    user = await get_user_model().objects.acreate_user("owner")
    await carry_out(moderation.create, ROOM, private=False, by=people.of_user(user))
    return user


async def ask(query: str, user: Any = None, **variables: Any) -> Any:
    return await schema.execute(query, variables, context_value={"request": Request(user)} if user else None)


async def set_limit(what: str, value: Any, user: Any, room: str = "limited") -> dict[str, Any]:
    result = await ask(SET[what] % (f'"{room}"', PAYLOAD), user, v=value)
    assert not result.errors, result.errors
    return result.data["it"]


async def hear(socket: ChatSocket) -> dict[str, Any]:
    return await socket.receive_json_from(timeout=5)


async def test_notice_tells_everybody_that_a_room_is_read_only_and_that_it_is_not(open_chat: Any, owner: Any) -> None:
    socket = await open_chat("/ws/chat/limited/")
    for value, change in ((True, "READ_ONLY"), (False, "WRITABLE")):
        done = await set_limit("readOnly", value, owner)
        assert (done["error"], done["entry"]["kind"], done["entry"]["access"]) == (None, "NOTICE", change)
        notice = await hear(socket)
        assert (notice["kind"], notice["access"], notice["message"]) == (
            "notice",
            change.lower(),
            done["entry"]["message"],
        )
        assert (await ask(LIMITS)).data["room"] == {"readOnly": value, "slowMode": 0}
        assert await set_limit("readOnly", value, owner) == {"entry": None, "error": None}


async def test_person_in_a_read_only_room_is_refused_at_both_doors(open_chat: Any, owner: Any) -> None:
    socket = await open_chat("/ws/chat/limited/")
    await socket.say("before")
    assert (await hear(socket))["offset"] == 2
    await set_limit("readOnly", True, owner)
    await hear(socket)
    await socket.send_json_to({"message": "hi", "client_id": "c1"})
    error = await hear(socket)
    assert (error["kind"], error["error"]["code"], error["client_id"]) == ("error", "read_only", "c1")
    await socket.send_json_to({"edit": 2, "message": "other"})
    assert (await hear(socket))["error"]["code"] == "read_only"
    await socket.send_json_to({"me": True})
    assert (await hear(socket)).items() >= {"role": None, "read_only": True, "slow_mode": 0}.items()
    assert (await ask(POST)).data["postMessage"]["error"]["code"] == "read_only"
    legacy = await ask('mutation { sendChatMessage(room: { roomName: "limited" }, message: "hi") }')
    assert legacy.errors[0].extensions["code"] == "read_only"
    assert (await ask(POST, owner)).data["postMessage"]["message"] == {"offset": 4}


async def test_person_in_slow_mode_is_told_when_to_send_again_at_both_doors(open_chat: Any, owner: Any) -> None:
    done = await set_limit("seconds", 30, owner)
    assert (done["entry"]["access"], done["error"]) == ("SLOW_MODE", None)
    socket = await open_chat("/ws/chat/limited/")
    for client_id in ("c1", "c2"):
        await socket.send_json_to({"message": "hi", "client_id": client_id})
    assert (await hear(socket))["client_id"] == "c1"
    error = await hear(socket)
    assert (error["error"]["code"], error["client_id"]) == ("slow_mode", "c2")
    assert 28 < error["error"]["retry_after"] <= 30
    user = await get_user_model().objects.acreate_user("ann")
    assert (await ask(POST, user, clientId="a")).data["postMessage"]["error"] is None
    await hear(socket)
    payload = (await ask(POST, user)).data["postMessage"]
    assert payload["error"]["code"] == "slow_mode"
    assert 28 < payload["error"]["retryAfter"] <= 30
    assert (await ask(POST, user, clientId="a")).data["postMessage"]["error"] is None
    await set_limit("seconds", 0, owner)
    assert (await ask(POST, user)).data["postMessage"]["error"] is None


@pytest.mark.parametrize(
    ("what", "value", "room", "code"),
    [
        ("seconds", -1, "limited", "invalid_slow_mode"),
        ("seconds", 21_601, "limited", "invalid_slow_mode"),
        ("seconds", 2**31 - 1, "limited", "invalid_slow_mode"),
        ("seconds", 5, "", "invalid_room_name"),
        ("seconds", 5, "nobody's", "not_allowed"),
        ("readOnly", True, "nobody's", "not_allowed"),
        ("readOnly", True, "@" + "0" * 32, "not_allowed"),
    ],
)
async def test_limit_that_can_not_be_set_is_refused(owner: Any, what: str, value: Any, room: str, code: str) -> None:
    assert await set_limit(what, value, owner, room) == {"entry": None, "error": {"code": code}}


async def test_limits_are_set_by_those_who_may(owner: Any) -> None:
    member = await get_user_model().objects.acreate_user("member")
    for role, codes in (
        (models.Role.MEMBER, ["not_allowed", "not_allowed"]),
        (models.Role.MODERATOR, ["not_allowed", None]),
        (models.Role.OWNER, [None, None]),
    ):
        await in_database(moderation.set_role, ROOM, "member", role, by=None)
        done = [await set_limit("readOnly", True, member), await set_limit("seconds", 9, member)]
        assert [one["error"] and one["error"]["code"] for one in done] == codes


async def test_settings_of_a_private_room_are_told_to_nobody_outside(owner: Any) -> None:
    await carry_out(moderation.set_private, ROOM, True, by=people.of_user(owner))
    result = await ask(LIMITS)
    assert result.data is None
    assert {error.extensions["code"] for error in result.errors} == {"not_a_member"}
    assert (await ask(LIMITS, owner)).data["room"] == {"readOnly": False, "slowMode": 0}


async def test_moderator_posts_as_often_as_they_like_in_slow_mode(owner: Any) -> None:
    await set_limit("seconds", 30, owner)
    for _ in range(3):
        assert (await ask(POST, owner)).data["postMessage"]["error"] is None


async def test_greeting_in_a_read_only_room_is_heard_only_of_those_who_may_post(
    open_chat: Any, open_graphql: Any, owner: Any
) -> None:
    before = await open_chat("/ws/chat/limited/")
    await set_limit("readOnly", True, owner)
    await hear(before)  # the notice
    graphql = await open_graphql()
    await graphql.join("limited", user="Buy here")
    browser = AsyncClient()
    await browser.aforce_login(owner)
    own = await open_graphql(headers=cookies_of(browser))
    await own.join("limited", user="owner")
    assert (await hear(before))["message"] == "Hello my name is owner!"
    await set_limit("readOnly", False, owner)
    await hear(before)
    another = await open_graphql()
    await another.join("limited", user="foo")
    assert (await hear(before))["message"] == "Hello my name is foo!"
