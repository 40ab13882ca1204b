"""Replying on the page: by the menu and by a key, what others see, and what becomes of a quote."""

import json
from typing import Any
from urllib.request import Request, urlopen

from selenium.webdriver.common.keys import Keys

from chat.domain.people import Person
from chat.domain.rooms import find
from chat.models import Message
from chat.storage import edits, moderation
from tests.browser.chromium import Chromium
from tests.browser.phone import become_phone, tap
from tests.browser.room_window import RoomWindow, enter
from tests.browser.test_history import LOSSY, pending, said

ZOE = Person(id="user-7", name="Zoë")
ROOM = find("room1")
TOPIC = "const topic = document.querySelector('composer-topic'); return topic.hidden ? '' : topic.innerText"
QUOTES = "return Array.from(document.querySelectorAll('#chat-log .quote'), (each) => each.innerText)"
POST = """mutation Reply($input: PostMessageInput!) {
    postMessage(input: $input) { message { replyTo { message user { name } } } error { message } }
}"""


def reply_to(room: RoomWindow, text: str) -> None:
    """Presses Reply in the menu of the message with that text."""
    room.choose(text, "Reply")
    room.window.until(lambda: "Reply to" in room.window.run(TOPIC), "replies")


def wait_for_quotes(room: RoomWindow, *quotes: str) -> None:
    room.window.until(lambda: room.window.run(QUOTES) == [*quotes], f"quotes {quotes}")


def offsets_replied_to() -> list[int | None]:
    return list(Message.objects.order_by("offset").values_list("reply_to", flat=True))


def post_by_graphql(site: str, **input: Any) -> dict[str, Any]:
    body = json.dumps({"query": POST, "variables": {"input": {"roomName": "room1", **input}}}).encode()
    with urlopen(Request(f"{site}/graphql", body, {"Content-Type": "application/json"})) as answer:
        return json.load(answer)["data"]["postMessage"]


def test_reply_by_the_menu_is_seen_with_its_quote_by_all_and_after_a_reload(
    browser: Chromium, site: str, same_site: str
) -> None:
    said(1, 2)
    author, other = enter(browser, site, "room1"), enter(browser, same_site, "room1")
    reply_to(author, "1")
    assert author.window.run(TOPIC).startswith("Reply to Zoë 1")
    author.say("an answer")

    for room in (author, other):
        room.hear("an answer")
        wait_for_quotes(room, "Zoë\n1")
        assert room.lines == ["1", "2", "an answer"]
    assert author.window.run(TOPIC) == ""
    answer = post_by_graphql(site, message="from a program", replyTo=3)
    assert answer["message"]["replyTo"]["message"] == "an answer"
    wait_for_quotes(author, "Zoë\n1", "You\nan answer")
    other.window.driver.refresh()
    other.hear("from a program")
    assert other.window.run(QUOTES)[0] == "Zoë\n1"
    author.say("no reply")
    author.hear("no reply")
    assert offsets_replied_to() == [None, None, 1, 3, None]


def test_reply_by_keyboard_alone_keeps_the_draft_and_is_dropped_by_escape(browser: Chromium, site: str) -> None:
    said(1, 2)
    room = enter(browser, site, "room1")
    room.window.type("an ")
    room.step_into_log()
    room.window.type("r")
    assert room.window.run(TOPIC).startswith("Reply to Zoë 2")
    assert room.window.focus == "chat-message-input"
    room.window.type(Keys.ESCAPE)
    assert room.window.run(TOPIC) == ""
    room.step_into_log()
    room.window.type(Keys.ARROW_UP, "R")
    room.window.type(Keys.END, "answer", Keys.ENTER)
    room.hear("an answer")
    wait_for_quotes(room, "Zoë\n1")


def test_quote_changes_with_edits_and_goes_with_a_deletion_live(browser: Chromium, site: str) -> None:
    said(1, 1)
    room = enter(browser, site, "room1")
    reply_to(room, "1")
    room.say("an answer")
    wait_for_quotes(room, "Zoë\n1")
    edits.edit_message(ROOM, 1, "one\ntwo", by=ZOE)
    wait_for_quotes(room, "Zoë\none\ntwo")
    moderation.delete_message(ROOM, 1, by=ZOE)
    wait_for_quotes(room, "Deleted, or no longer kept")


def test_reply_that_is_being_written_follows_what_becomes_of_its_message(browser: Chromium, site: str) -> None:
    said(1, 1)
    room = enter(browser, site, "room1")
    reply_to(room, "1")
    room.window.type("an answer")
    edits.edit_message(ROOM, 1, "one", by=ZOE)
    room.window.until(lambda: "Zoë one" in room.window.run(TOPIC), "sees the edit")
    moderation.delete_message(ROOM, 1, by=ZOE)
    room.window.find("#chat-composer-error", "no reply")
    assert room.window.run(TOPIC) == ""
    room.window.type(Keys.ENTER)
    room.hear("an answer")
    assert offsets_replied_to()[-1] is None


def test_reply_on_its_way_survives_a_reload_as_a_reply(browser: Chromium, site: str) -> None:
    said(1, 1)
    room = enter(browser, site, "room1", LOSSY)
    room.window.run("window.lossy = true")
    reply_to(room, "1")
    room.say("an answer")
    room.window.until(lambda: pending(room) == ["an answer"], "sends")
    assert room.window.find("#chat-outbox .quote", "Zoë")
    room.window.driver.refresh()
    wait_for_quotes(room, "Zoë\n1")
    assert offsets_replied_to() == [None, 1]


def test_reply_to_a_message_that_is_deleted_meanwhile_is_given_back(browser: Chromium, site: str) -> None:
    said(1, 1)
    room = enter(browser, site, "room1", LOSSY)
    room.window.run("window.lossy = true")
    reply_to(room, "1")
    room.say("an answer")
    room.window.until(lambda: pending(room) == ["an answer"], "sends")
    moderation.delete_message(ROOM, 1, by=ZOE)
    room.window.driver.refresh()
    room.window.find("#chat-composer-error", "without the reply")
    assert room.window.run("return document.querySelector('#chat-message-input').value") == "an answer"


def test_reply_on_a_phone_begins_by_a_tap(browser: Chromium, site: str) -> None:
    said(1, 1)
    room = enter(browser, site, "room1")
    become_phone(room.window)
    tap(room.window, "#chat-log .bubble")
    tap(room.window, "#chat-menu button", "Reply")
    room.window.until(lambda: "Reply to" in room.window.run(TOPIC), "replies")
    room.window.type("an answer")
    tap(room.window, "#chat-message-submit")
    wait_for_quotes(room, "Zoë\n1")
    assert room.window.run("return document.documentElement.scrollWidth") <= 360
