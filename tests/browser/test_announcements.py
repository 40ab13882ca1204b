"""Announcements that a screen reader makes on its own: each new message once, and nothing that only changes."""

import pytest
from selenium.webdriver.common.keys import Keys

from chat.domain.people import Person
from chat.domain.rooms import find
from chat.storage import edits, moderation
from tests.browser.chromium import Chromium
from tests.browser.room_window import RoomWindow, enter
from tests.browser.test_editing import EDITED
from tests.browser.test_history import said

ZOE = Person(id="user-7", name="Zoë")
ROOM = find("room1")
QUIETENED = 600  # milliseconds in which the log may be quiet after its history has come

# Notes the texts of all messages that are added to a live region, as screen readers do.
LISTEN = f"""
    const done = arguments[0];
    setTimeout(() => {{
        window.readOut = [];
        const note = (node) => {{
            const region = (node instanceof Element ? node : node.parentElement)?.closest("[aria-live]");
            if (!region || region.ariaLive === "off") return;
            window.readOut.push(node.querySelector?.(".text")?.textContent ?? node.textContent);
        }};
        new MutationObserver((records) => records.flatMap(({{ addedNodes }}) => [...addedNodes]).forEach(note))
            .observe(document.querySelector("#chat-log"), {{ childList: true, subtree: true, characterData: true }});
        done();
    }}, {QUIETENED});
"""
READ_OUT = "return window.readOut"


def listen(room: RoomWindow) -> RoomWindow:
    room.window.driver.execute_async_script(LISTEN)
    return room


def until_read(room: RoomWindow, *texts: str) -> None:
    room.window.until(lambda: room.window.run(READ_OUT) == [*texts], f"reads {texts}, not {room.window.run(READ_OUT)}")


@pytest.fixture
def reader(browser: Chromium, site: str) -> RoomWindow:
    """Somebody who has three messages of Zoë before them."""
    said(1, 3)
    return listen(enter(browser, site, "room1"))


def test_messages_of_others_and_of_oneself_are_read_out_once(
    browser: Chromium, same_site: str, reader: RoomWindow
) -> None:
    other = enter(browser, same_site, "room1")
    other.say("theirs")
    until_read(reader, "theirs")
    reader.say("mine")
    until_read(reader, "theirs", "mine")


def test_edit_of_a_message_and_of_what_quotes_it_is_not_read_out(reader: RoomWindow) -> None:
    for text in ("a reply", "another"):
        reader.window.run("[...document.querySelectorAll('.actions')].at(0).focus()")
        reader.window.type("r")
        reader.say(text)
        reader.hear(text)
    until_read(reader, "a reply", "another")

    edits.edit_message(ROOM, 1, "one", by=ZOE)

    reader.window.until(lambda: reader.window.run(EDITED) == 1, "shows the edit")
    assert reader.window.find(".quote", "one")
    reader.say("after that")
    until_read(reader, "a reply", "another", "after that")


def test_deletion_is_not_read_out(reader: RoomWindow) -> None:
    moderation.delete_message(ROOM, 2, by=ZOE)
    reader.window.find(".gone", "Deleted")
    reader.say("after that")
    until_read(reader, "after that")


def test_older_messages_are_not_read_out(browser: Chromium, site: str) -> None:
    said(1, 70)
    room = listen(enter(browser, site, "room1"))
    room.window.run("document.querySelector('#chat-scroller').scrollTop = 0")
    room.hear("1")
    until_read(room)


def test_unfolding_a_message_is_not_read_out(reader: RoomWindow) -> None:
    text = "a\n" * 99 + "b"
    reader.window.run("document.querySelector('#chat-message-input').value = arguments[0]", text)
    reader.window.type(Keys.ENTER)
    reader.window.click(".fold", "Show more")
    reader.window.find(".fold", "Show less")
    until_read(reader, text)
