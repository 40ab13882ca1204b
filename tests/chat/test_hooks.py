"""Incoming webhooks: what programs send, and what comes of it."""

import io
import json
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from django.contrib.auth.models import User
from pytest_django import Settings

from chat.actions import bots
from chat.actions.moderation import carry_out
from chat.connections import answers
from chat.domain.grants import Scope
from chat.domain.rooms import Room
from chat.domain.tokens import make
from chat.models import AuditRecord, Message, Role
from chat.storage import moderation
from tests.test_private_rooms import user
from tests.tokens import Program, program
from tests.uploads import Answer, ask

ROOM = Room("room1")
JSON, FORM = "application/json", "application/x-www-form-urlencoded"


async def of_room(**wanted: Any) -> Program:
    return await program(**{"scopes": [Scope.WRITE], "rooms": ["room1"], **wanted})


async def send(token: Program | str, body: object, type: str = JSON, query: str = "", **headers: str) -> Answer:
    secret = token.secret if isinstance(token, Program) else token
    content = body if isinstance(body, bytes) else (body if isinstance(body, str) else json.dumps(body)).encode()
    given = {"content-type": type, "content-length": str(len(content)), "cookie": "", **headers}
    return await ask("POST", f"/hooks/{secret}/{query}", None, given, [content])


async def said() -> list[tuple[str, str]]:
    """The names and texts of all messages."""
    rows = Message.objects.filter(kind="message").order_by("pk").values_list("person_name", "text")
    return [row async for row in rows]


def payload(given: object) -> str:
    return urlencode({"payload": json.dumps(given)})


def section(text: str, kind: str = "mrkdwn") -> dict[str, Any]:
    return {"type": "section", "text": {"type": kind, "text": text}}


def word(text: str) -> dict[str, Any]:
    return {"type": "text", "text": text}


RICH = {
    "type": "rich_text",
    "elements": [
        {"type": "rich_text_section", "elements": [word("see "), {"type": "link", "url": "http://a"}]},
        {"type": "rich_text_list", "elements": [{"type": "rich_text_section", "elements": [word("x")]}]},
    ],
}
FORMS = {
    "json": (JSON, {"text": "hi *there*"}, "hi *there*"),
    "json with charset": (f"{JSON}; charset=utf-8", {"text": "hé"}, "hé"),
    "json after a byte order mark": (JSON, b'\xef\xbb\xbf{"text": "h\xc3\xa9"}', "hé"),
    "json called a form": (FORM, '{"text": "hi"}', "hi"),
    "form": (FORM, urlencode({"text": "hi & ho"}), "hi & ho"),
    "plain text": ("text/plain", "hi\n<b>", "hi\n<b>"),
    "plain text in latin-1": ("text/plain; charset=iso-8859-1", "é".encode("latin1"), "é"),
    "slack's form": (FORM, payload({"text": "*b* <http://a.example|here> &lt;3"}), "**b** here (http://a.example) <3"),
    "blocks in the place of text": (JSON, {"text": "short", "blocks": [section("*long*")]}, "**long**"),
    "plain text of a block": (JSON, {"blocks": [section("*a*", "plain_text")]}, "*a*"),
    "header and context": (
        JSON,
        {
            "blocks": [
                {"type": "header", "text": {"type": "plain_text", "text": "Title"}},
                {"type": "divider"},
                {"type": "context", "elements": [{"type": "mrkdwn", "text": "a"}, {"type": "image", "alt_text": "b"}]},
            ]
        },
        "Title\n\na",
    ),
    "fields": (JSON, {"blocks": [{"type": "section", "fields": [{"type": "mrkdwn", "text": "a"}]}]}, "a"),
    "rich text": (JSON, {"blocks": [RICH]}, "see http://a\n- x"),
    "fallback of attachments": (JSON, {"text": "hi", "attachments": [{"fallback": "f", "text": "t"}]}, "hi\n\nf"),
    "text of attachments": (JSON, {"attachments": [{"title": "t", "text": "u"}, {"text": "v"}]}, "t\nu\n\nv"),
    "strange parts beside a text": (JSON, {"text": "hi", "blocks": [1, {}, None], "attachments": "x"}, "hi"),
}


@pytest.mark.parametrize(("type", "body", "text"), FORMS.values(), ids=FORMS)
async def test_hook_posts_the_text_of_each_form(type: str, body: Any, text: str) -> None:
    token = await of_room()
    answer = await send(token, body, type)
    assert (answer.status, await said()) == (200, [(token.user.username, text)])
    assert answer.json == {"room": "room1", "offset": 1, "id": answer.json["id"], "repeated": False}
    assert "set-cookie" not in answer.headers


INVALID: dict[str, tuple[str, Any, int, str, str]] = {
    "no json": (JSON, '{"text":\n hi}', 400, "invalid_hook", "Expecting value (line 2, character 2)"),
    "deep json": (JSON, "[" * 20_000, 400, "invalid_hook", "isn’t JSON|nested too deeply"),
    "long number": (JSON, '{"text": ' + "9" * 5000 + "}", 400, "invalid_hook", "too long a number"),
    "list": (JSON, [], 400, "invalid_hook", "no object"),
    "no text": (JSON, {}, 400, "invalid_hook", "This is no message"),
    "text that is none": (JSON, {"text": 1}, 400, "invalid_hook", "“text” has to be a text"),
    "blank": (JSON, {"text": " "}, 400, "invalid_hook", "This is no message"),
    "blank plain text": ("text/plain", " ", 400, "blank_message", ""),
    "empty body": (JSON, "", 400, "invalid_hook", "isn’t JSON"),
    "empty blocks": (JSON, {"blocks": [], "attachments": []}, 400, "invalid_hook", "This is no message"),
    "form without a field": (FORM, "a=b", 400, "invalid_hook", "neither a field “text” nor"),
    "form with many fields": (FORM, "&".join(["a=b"] * 100), 400, "invalid_hook", "more than 10 fields"),
    "form in latin-1": (FORM, "text=%e4", 400, "invalid_hook", "like “%C3%A4” for “ä”"),
    "payload that is none": (FORM, "payload=x", 400, "invalid_hook", "isn’t JSON"),
    "not utf-8": (JSON, b'{"text": "\xff"}', 400, "invalid_hook", "isn’t in the charset UTF-8"),
    "not ascii": ("text/plain; charset=us-ascii", b"\xff", 400, "invalid_hook", "isn’t in the charset US-ASCII"),
    "half a character": (JSON, '{"text": "\\ud800"}', 400, "invalid_message", ""),
    "too long a message": (JSON, {"text": "x" * 4001}, 400, "message_too_long", ""),
    "xml": ("text/xml", "<a/>", 415, "unsupported_type", "“Content-Type”: application/json, application/x-www"),
    "no type": ("", "hi", 415, "unsupported_type", "“Content-Type”"),
    "multipart": ("multipart/form-data; boundary=x", "--x--", 415, "unsupported_type", "“Content-Type”"),
    "unknown charset": ("text/plain; charset=utf-16", "hi", 415, "unsupported_type", "UTF-8, ISO-8859-1 and US-ASCII"),
    "name of the site": (JSON, {"text": "hi", "username": "Admin"}, 400, "name_taken", "The site itself uses that"),
    "name that looks like another": (JSON, {"text": "hi", "username": "Ann"}, 400, "name_taken", "another account"),
    "mention for a name": (JSON, {"text": "hi", "username": "@ann"}, 400, "invalid_name", "begin with “@”"),
    "wide mention for a name": (JSON, {"text": "hi", "username": "＠bo"}, 400, "invalid_name", "begin with “@”"),
    "name that is no text": (JSON, {"text": "hi", "username": ["a"]}, 400, "invalid_hook", "“username” has to be a"),
    "long name": (JSON, {"text": "hi", "username": "x" * 41}, 400, "invalid_name", "40 are allowed"),
}


@pytest.mark.parametrize(("type", "body", "status", "code", "reason"), INVALID.values(), ids=INVALID)
async def test_hook_says_what_is_wrong_with_a_body(type: str, body: Any, status: int, code: str, reason: str) -> None:
    await User.objects.acreate_user("ann")
    answer = await send(await of_room(), body, type)
    assert (answer.status, answer.json["error"]) == (status, code)
    assert any(one in answer.json["message"] for one in reason.split("|"))
    assert not await said()


@pytest.mark.parametrize(
    "query",
    [
        "?room=room1&client_id=b%e4",
        "?room=%ff",
        "?room=r\xe4ume",
        "?room=room1&client_id=1&client_id=2",
        "?room=room1&room=room2",
    ],
)
async def test_hook_refuses_parameters_that_can_be_read_in_two_ways(query: str) -> None:
    answer = await send(await of_room(rooms=None), {"text": "hi"}, query=query)
    assert (answer.status, answer.json["error"]) == (400, "invalid_query")
    assert not await said()


async def test_hook_takes_parameters_in_utf8_percent_encoded_or_not() -> None:
    token = await of_room(rooms=None)
    for query in ("?room=r%C3%A4ume", "?room=räume".encode().decode("latin1")):
        assert (await send(token, {"text": "hi"}, query=query)).json["room"] == "räume"


async def test_compressed_body_is_not_taken() -> None:
    answer = await send(await of_room(), {"text": "hi"}, **{"content-encoding": "gzip"})
    assert (answer.status, answer.json["error"]) == (415, "unsupported_type")


async def test_username_is_the_name_of_what_is_said() -> None:
    token = await of_room()
    assert (await send(token, {"text": "hi", "username": "Deploys"})).status == 200
    assert (await send(token, {"text": "hi", "username": token.user.username})).status == 200
    assert await said() == [("Deploys", "hi"), (token.user.username, "hi")]
    assert await Message.objects.filter(person_id=f"user-{token.user.pk}").acount() == 2


async def test_client_id_makes_a_retry_the_same_message() -> None:
    token = await of_room()
    first, again = [(await send(token, {"text": "hi"}, query="?client_id=build-7")).json for _ in range(2)]
    assert again == first | {"repeated": True}
    assert len(await said()) == 1
    assert (await send(token, {"text": "hi"}, query=f"?client_id={'x' * 101}")).json["error"] == "invalid_client_id"


@pytest.mark.parametrize(
    ("wanted", "query", "status", "code"),
    [
        ({}, "?room=room1", 200, None),
        ({}, "?room=room2", 403, "insufficient_scope"),
        ({"rooms": ["room1", "room2"]}, "", 400, "no_rooms"),
        ({"rooms": ["room1", "room2"]}, "?room=room2", 200, None),
        ({"rooms": None}, "", 400, "no_rooms"),
        ({"rooms": None}, f"?room={quote('räume/1')}", 200, None),
        ({"rooms": None}, "?room=.", 400, "invalid_room_name"),
        ({"scopes": [Scope.READ, Scope.MODERATE]}, "", 403, "insufficient_scope"),
        ({"hours": -1}, "", 401, "invalid_token"),
    ],
)
async def test_hook_is_for_the_rooms_and_scopes_of_its_token(
    wanted: dict[str, Any], query: str, status: int, code: str | None
) -> None:
    answer = await send(await of_room(**wanted), {"text": "hi"}, query=query)
    assert (answer.status, answer.json.get("error")) == (status, code)


@pytest.mark.parametrize(
    "secret",
    ["x", make(), f"{make()[:-1]}!", "chat_", "%00"],
    ids=["no token", "a token of nobody", "a wrong checksum", "a prefix alone", "a NUL"],
)
async def test_unknown_token_is_refused_before_the_body_is_read(secret: str) -> None:
    answer = await send(secret, b"x" * 1_000_000)
    assert (answer.status, answer.json["error"]) == (401, "invalid_token")


async def test_bot_of_a_room_needs_no_room_in_its_url() -> None:
    owner = await user("owner")
    await carry_out(moderation.create, ROOM, private=True, by=owner.person)
    token = await program(await bots.make("robot", ROOM, by=owner.person), scopes=[Scope.WRITE])
    assert (await send(token, {"text": "hi"})).status == 200
    await carry_out(moderation.remove_member, ROOM, "robot", by=owner.person)
    assert (await send(token, {"text": "hi"})).status == 401


@pytest.mark.parametrize("is_banned", [False, True], ids=["removed", "banned"])
async def test_token_of_a_bot_that_was_excluded_does_not_hold_again(is_banned: bool) -> None:
    owner = await user("owner")
    await carry_out(moderation.create, ROOM, private=True, by=owner.person)
    bot = await bots.make("robot", ROOM, by=owner.person)
    token = await program(bot, scopes=[Scope.WRITE])
    if is_banned:
        await carry_out(moderation.ban, ROOM, f"user-{bot.pk}", by=owner.person)
        await carry_out(moderation.unban, ROOM, f"user-{bot.pk}", by=owner.person)
    else:
        await carry_out(moderation.remove_member, ROOM, "robot", by=owner.person)
    assert await AuditRecord.objects.filter(verb="token.revoked", target_id=f"user-{bot.pk}").acount() == 1
    await carry_out(moderation.set_role, ROOM, "robot", Role.MEMBER, by=owner.person)
    assert (await send(token, {"text": "hi"})).json["error"] == "invalid_token"
    another = await program(bot, scopes=[Scope.WRITE])
    assert (await send(another, {"text": "hi"})).status == 200


async def test_user_who_may_not_be_in_the_room_is_refused() -> None:
    owner = await user("owner")
    await carry_out(moderation.create, ROOM, private=True, by=owner.person)
    assert (await send(await of_room(), {"text": "hi"})).json["error"] == "not_a_member"


async def test_long_body_is_refused_when_it_is_announced_and_when_it_comes(settings: Settings) -> None:
    settings.CHAT_BODY_MAX = 100
    token = await of_room()
    for body, announced in ((b"x" * 101, "101"), (b"x" * 101, ""), (b"", "9" * 5000), (b"x" * 101, "5")):
        answer = await send(token, body, "text/plain", **{"content-length": announced})
        assert (answer.status, answer.json["error"]) == (413, "body_too_long")
    assert (await send(token, b"x" * 100, "text/plain")).status == 200


async def test_too_many_messages_are_answered_by_429_with_a_time(settings: Settings) -> None:
    settings.CHAT_LIMITS, settings.CHAT_RATE_TOKEN = True, "1/h"
    token = await of_room()
    assert (await send(token, {"text": "hi"})).status == 200
    answer = await send(token, {"text": "hi"})
    assert (answer.status, answer.json["error"]) == (429, "rate_limited")
    assert 3500 < int(answer.headers["retry-after"]) <= 3600


async def test_refusal_does_not_linger_once_the_body_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "LINGER", 3600.0)
    assert (await send(await of_room(), "{")).status == 400


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "HEAD"])
async def test_other_methods_are_refused(method: str) -> None:
    token = await of_room()
    answer = await ask(method, f"/hooks/{token.secret}/", None, {"cookie": ""})
    assert (answer.status, answer.headers["allow"]) == (405, "POST")


async def test_page_of_another_site_may_send_with_the_token() -> None:
    answer = await send(await of_room(), {"text": "hi"}, origin="https://elsewhere.example")
    assert answer.status == 200


async def test_log_has_no_token_of_a_hook(written_log: io.StringIO) -> None:
    token = await of_room()
    await send(token, {"text": "the-words"})
    await send(f"{token.secret}x", {"text": "the-words"})
    await send("mistyped", {"text": "the-words"})
    await ask("POST", f"/hooks/{token.secret}/more/", None)
    written = written_log.getvalue()
    assert "POST /hooks/***/ 200" in written
    assert "POST /hooks/***/ 401" in written
    for secret in (token.secret[:20], "mistyped", "the-words"):
        assert secret not in written
