"""Editing on the page: by the menu, by the arrow key, and what others see of it."""

from selenium.webdriver.common.keys import Keys

from chat.domain.people import Person
from chat.domain.rooms import find
from chat.storage import edits, log
from tests.browser.chromium import Chromium
from tests.browser.room_window import RoomWindow, enter
from tests.browser.test_history import said
from tests.browser.test_private_room import set_offline

VALUE = "return document.querySelector('#chat-message-input').value"
TOPIC = "const topic = document.querySelector('composer-topic'); return topic.hidden ? '' : topic.innerText"
EDITED = "return [...document.querySelectorAll('.edited')].length"


def press_menu(room: RoomWindow, label: str) -> None:
    room.window.click(".message .actions")
    room.window.click("#chat-menu button", label)


def test_edit_by_the_arrow_key_is_seen_by_everybody_and_after_a_reload(browser: Chromium, site: str) -> None:
    author, other = enter(browser, site, "room1"), enter(browser, site, "room1")
    author.say("helo")
    other.hear("helo")
    author.hear("helo")

    author.window.type(Keys.ARROW_UP)
    assert author.window.run(VALUE) == "helo"
    assert author.window.run(TOPIC).startswith("Edit your message")
    author.window.type("!", Keys.ENTER)

    for room in (author, other):
        room.hear("helo!")
        assert room.lines == ["helo!"]
        room.window.until(lambda room=room: room.window.run(EDITED) == 1, "marks the message as edited")
    assert (author.window.run(VALUE), author.window.run(TOPIC)) == ("", "")
    other.window.driver.refresh()
    other.connect()
    assert (other.lines, other.window.run(EDITED)) == (["helo!"], 1)


def test_arrow_key_edits_nothing_while_the_last_message_is_on_its_way(browser: Chromium, site: str) -> None:
    room = enter(browser, site, "room1")
    room.say("first")
    room.hear("first")
    set_offline(room.window, True)
    room.window.run("dispatchEvent(new Event('online'))")
    room.window.find("#chat-status", "Offline")
    room.say("second")
    room.window.find("#chat-outbox", "second")

    room.window.type(Keys.ARROW_UP)
    assert (room.window.run(VALUE), room.window.run(TOPIC)) == ("", "")

    set_offline(room.window, False)
    room.hear("second")
    room.window.type(Keys.ARROW_UP)
    assert room.window.run(VALUE) == "second"
    assert all("INTERNET_DISCONNECTED" in complaint for complaint in browser.complaints())


def test_arrow_key_edits_nothing_where_the_newest_messages_are_not_shown(browser: Chromium, site: str) -> None:
    room = enter(browser, site, "room1")
    room.say("mine")
    room.hear("mine")
    said(2, 100)
    room.window.go(f"{site}/chat/room1/?at=1")
    room.connect()

    room.window.type(Keys.ARROW_UP)

    assert (room.window.run(VALUE), room.window.run(TOPIC)) == ("", "")


def test_edit_that_is_dropped_gives_the_draft_back(browser: Chromium, site: str) -> None:
    room = enter(browser, site, "room1")
    room.say("hello")
    room.hear("hello")
    room.window.type("half a thought")
    press_menu(room, "Edit")
    assert room.window.run(VALUE) == "hello"
    room.window.type(" there", Keys.ESCAPE)
    assert (room.window.run(VALUE), room.window.run(TOPIC)) == ("half a thought", "")
    assert room.lines == ["hello"]


def test_edit_that_the_server_refuses_can_be_gone_on_with(browser: Chromium, site: str) -> None:
    room = enter(browser, site, "room1")
    room.say("hello")
    room.hear("hello")
    room.window.type(Keys.ARROW_UP)
    room.window.type(" there")
    other = enter(browser, site, "room1")  # of the same guest, in another tab
    press_menu(other, "Delete")
    other.window.click("#chat-menu button", "Really delete?")
    room.window.find(".gone", "Deleted")
    room.window.type(Keys.ENTER)
    room.window.find("#chat-composer-error", "deleted")
    assert room.window.run(VALUE) == "hello there"


def test_arrow_up_with_nothing_said_leaves_the_composer_as_it_is(browser: Chromium, site: str) -> None:
    room = enter(browser, site, "room1")
    room.window.type(Keys.ARROW_UP)
    assert (room.window.run(VALUE), room.window.run(TOPIC)) == ("", "")


def test_room_whose_last_entry_is_an_edit_opens_at_its_end(browser: Chromium, site: str, same_site: str) -> None:
    ann = Person(id="user-ann", name="Ann")
    log.append([log.Draft(room=find("room1"), text="helo", person=ann)])
    edits.edit_message(find("room1"), 1, "hello", by=ann)
    room, other = enter(browser, site, "room1"), enter(browser, same_site, "room1")
    assert not room.window.run("return document.querySelector('#chat-newest').checkVisibility()")
    other.say("hi")
    room.hear("hi")
    assert room.lines == ["hello", "hi"]
