"""Replies at both doors: posting them, and what everybody hears and reads of what they quote."""

from typing import Any

import pytest

from chat.actions import editing, posting
from chat.actions.moderation import carry_out
from chat.delivery.hub import Hub
from chat.domain.events import Event, Quote
from chat.domain.people import Person
from chat.domain.positions import Position
from chat.domain.rooms import find
from chat.storage import moderation
from tests.test_private_rooms import NAME, guest, member, owner, say, user

__all__ = ["member", "owner"]  # fixtures

ROOM = find("replies")
ANN = Person(id="user-1", name="Ann")
POST = """mutation Reply($input: PostMessageInput!) {
    postMessage(input: $input) { message { offset replyTo { offset message user { name } } } error { code message } }
}"""
HEAR = """subscription Hear($after: Int) {
    roomMessages(rooms: [{roomName: "replies", after: $after}]) { offset replyTo { offset message user { id name } } }
}"""
READ = '{ room(name: "replies") { messages { edges { node { offset replyTo { offset message user { name } } } } } } }'


async def said(text: str, reply_to: int | None = None) -> Event:
    entry = await posting.post(room=ROOM, message=text, person=ANN, reply_to=reply_to)
    return entry.event


async def post(graphql: Any, **input: Any) -> dict[str, Any]:
    await graphql.start(POST, {"input": {"roomName": "replies", "message": "a reply", **input}}, id="post")
    answer = await graphql.result("post")
    assert (await graphql.receive_json_from(timeout=5))["type"] == "complete"
    return answer["data"]["postMessage"]


async def test_reply_of_a_browser_is_heard_with_its_quote_at_both_doors(open_chat, open_graphql) -> None:
    await said("first\nand more")
    browser, graphql = await open_chat("/ws/chat/replies/"), await open_graphql()
    await graphql.subscribe(HEAR)
    await browser.send_json_to({"message": "a reply", "reply_to": 1})
    frame = await browser.receive_json_from(timeout=5)
    quote = {"offset": 1, "user": "Ann", "user_id": "user-1", "message": "first\nand more"}
    assert (frame["message"], frame["offset"], frame["reply_to"]) == ("a reply", 2, quote)
    heard = (await graphql.result())["data"]["roomMessages"]
    user = {"id": "user-1", "name": "Ann"}
    assert heard == {"offset": 2, "replyTo": {"offset": 1, "message": "first\nand more", "user": user}}


async def test_reply_by_graphql_is_answered_and_heard_with_its_quote(open_chat, open_graphql) -> None:
    await said("first")
    browser, graphql = await open_chat("/ws/chat/replies/"), await open_graphql()
    quote = {"offset": 1, "message": "first", "user": {"name": "Ann"}}
    assert (await post(graphql, replyTo=1))["message"] == {"offset": 2, "replyTo": quote}
    assert (await browser.receive_json_from(timeout=5))["reply_to"]["message"] == "first"


async def test_plain_message_has_no_quote(open_chat, open_graphql) -> None:
    browser, graphql = await open_chat("/ws/chat/replies/"), await open_graphql()
    assert (await post(graphql))["message"] == {"offset": 1, "replyTo": None}
    assert (await post(graphql, replyTo=None))["message"] == {"offset": 2, "replyTo": None}
    await browser.send_json_to({"message": "plain", "reply_to": None})
    for _ in range(3):
        assert "reply_to" not in await browser.receive_json_from(timeout=5)


@pytest.mark.parametrize(
    ("reply_to", "code"),
    [
        (99, "no_such_message"),
        (0, "no_such_message"),
        (2, "no_such_message"),  # a deleted one
        (3, "no_such_message"),  # the deletion
        (4, "no_such_message"),  # a notice
        (2**63 - 1, "no_such_message"),
        (2**63, "invalid_position"),
        (-1, "invalid_position"),
        (1.5, "invalid_position"),
        (True, "invalid_position"),
        ("", "invalid_position"),
        ("first", "invalid_position"),
        ([1], "invalid_position"),
        ({"offset": 1}, "invalid_position"),
    ],
)
async def test_reply_to_what_is_no_message_is_an_error_and_nothing_is_said(
    open_chat, reply_to: object, code: str
) -> None:
    await said("first")
    await said("to be deleted")
    await carry_out(moderation.delete_message, ROOM, 2, by=ANN)
    await carry_out(moderation.ban, ROOM, "guest-00000000000000cc", by=None)
    browser = await open_chat("/ws/chat/replies/")
    await browser.send_json_to({"message": "a reply", "reply_to": reply_to, "client_id": "mine"})
    frame = await browser.receive_json_from(timeout=5)
    assert (frame["kind"], frame["error"]["code"], frame["client_id"]) == ("error", code, "mine")
    await browser.send_json_to({"message": "a reply", "client_id": "mine"})
    assert (await browser.receive_json_from(timeout=5))["offset"] == 5


@pytest.mark.parametrize(
    ("reply_to", "code"), [(99, "no_such_message"), (0, "no_such_message"), (-1, "invalid_position")]
)
async def test_graphql_reply_to_what_is_no_message_is_an_error_that_says_what_to_do(
    open_graphql, reply_to: int, code: str
) -> None:
    answer = await post(await open_graphql(), replyTo=reply_to)
    assert (answer["message"], answer["error"]["code"]) == (None, code)
    if code == "no_such_message":
        assert "without the reply" in answer["error"]["message"]


async def test_reply_that_is_sent_twice_is_said_once(open_chat, open_graphql) -> None:
    await said("first")
    await said("second")
    browser, graphql = await open_chat("/ws/chat/replies/"), await open_graphql()
    first = await post(graphql, replyTo=1, clientId="mine")
    assert await post(graphql, replyTo=2, clientId="mine", message="another text") == first
    assert await post(graphql, replyTo=99, clientId="mine") == first
    assert await post(graphql, clientId="mine") == first
    assert (await browser.receive_json_from(timeout=5))["offset"] == 3
    assert await browser.receive_nothing()


async def test_quote_is_the_same_live_in_recovery_and_in_the_history(open_chat, open_graphql) -> None:
    await said("first")
    live = await open_chat("/ws/chat/replies/")
    await said("second", reply_to=1)
    heard = (await live.receive_json_from(timeout=5))["reply_to"]
    late = await open_chat("/ws/chat/replies/?after=1")
    await live.send_json_to({"before": 3})
    (_, in_history) = (await live.receive_json_from(timeout=5))["messages"]
    assert (await late.receive_json_from(timeout=5))["reply_to"] == in_history["reply_to"] == heard
    graphql = await open_graphql()
    await graphql.start(HEAR, {"after": 1})
    quote = (await graphql.result())["data"]["roomMessages"]["replyTo"]
    assert (quote["offset"], quote["message"]) == (1, "first")


async def test_reply_after_an_edit_quotes_the_new_text_live(open_chat) -> None:
    await said("first")
    await editing.edit(room=ROOM, offset=1, message="better", person=ANN)
    browser = await open_chat("/ws/chat/replies/?with=edits")
    await browser.send_json_to({"message": "a reply", "reply_to": 1})
    assert (await browser.receive_json_from(timeout=5))["reply_to"]["message"] == "better"
    await editing.edit(room=ROOM, offset=1, message="best", person=ANN)
    edit = await browser.receive_json_from(timeout=5)
    assert (edit["kind"], edit["target"], edit["message"]) == ("edit", 1, "best")
    await browser.send_json_to({"before": 4})
    assert (await browser.receive_json_from(timeout=5))["messages"][-1]["reply_to"]["message"] == "best"


async def test_deleted_text_is_in_no_quote_that_is_read_after_it(open_chat, open_graphql) -> None:
    await said("secret")
    await said("second", reply_to=1)
    await carry_out(moderation.delete_message, ROOM, 1, by=ANN)
    browser, graphql = await open_chat("/ws/chat/replies/?after=1"), await open_graphql()
    nothing = {"offset": 1, "user": None, "user_id": None, "message": None}
    assert (await browser.receive_json_from(timeout=5))["reply_to"] == nothing
    await graphql.start(READ, id="read")
    node = (await graphql.result("read"))["data"]["room"]["messages"]["edges"][1]["node"]
    assert node == {"offset": 2, "replyTo": {"offset": 1, "message": "", "user": None}}
    assert "secret" not in str(await graphql.receive_json_from(timeout=5))


async def test_listeners_hear_a_reply_before_the_deletion_of_what_it_quotes_in_any_order_of_storing() -> None:
    for number in range(1, 41, 4):
        async with Hub.here().listen([ROOM], {ROOM: Position(number - 1)}, ANN) as listener:
            await said("first")
            await said("second", reply_to=number)
            await carry_out(moderation.delete_message, ROOM, number, by=ANN)
            with pytest.raises(Exception, match="without the reply"):
                await said("third", reply_to=number)
            await said("end")
            quotes = [(await anext(listener)).reply_to for _ in range(4)]
            assert quotes == [None, Quote(number, ANN, "first"), None, None]


async def test_reply_does_not_tell_a_stranger_what_is_said_in_a_private_room(member, open_graphql) -> None:
    offset = await say("secret")
    for stranger in (await guest(), await user("stranger")):
        with pytest.raises(Exception, match="private room") as refused:
            await posting.post(room=find(NAME), message="?", person=stranger.person, reply_to=offset)
        assert "secret" not in str(refused.value)
    entry = await posting.post(room=find(NAME), message="!", person=member.person, reply_to=offset)
    assert entry.event.reply_to
    assert entry.event.reply_to.message == "secret"
