"""Links to messages: a room that opens at one, goes on in both directions, and comes back to what is said now."""

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from chat.domain.people import Person
from chat.domain.rooms import find
from chat.storage import edits, log, moderation, pruning
from tests.browser.chromium import Chromium
from tests.browser.phone import become_phone, tap
from tests.browser.room_window import RoomWindow
from tests.browser.test_connection import SOCKETS
from tests.browser.test_history import AT_END, SCROLL_UP, said, wait_for
from tests.browser.test_replying import QUOTES, reply_to

ZOE = Person(id="user-7", name="Zoë")
ROOM = find("room1")
FOUND = "return document.querySelector('.found .text')?.textContent ?? ''"
NOTICE = "const notice = document.querySelector('#chat-jump'); return notice.hidden ? '' : notice.textContent"
# The distance from the middle of the message with that text to the middle of the view, by the height of the view.
OFF_CENTRE = """
    const view = document.querySelector("#chat-scroller").getBoundingClientRect();
    const text = [...document.querySelectorAll(".message .text")].find((each) => each.textContent === arguments[0]);
    const box = text.getBoundingClientRect();
    return Math.abs(box.y + box.height / 2 - view.y - view.height / 2) / view.height;
"""
DOWN = "document.querySelector('#chat-scroller').scrollTop = 1e6"


def open_at(browser: Chromium, site: str, at: object, before: str = "") -> RoomWindow:
    return RoomWindow(browser.open(f"{site}/chat/room1/?at={at}", before)).connect()


def is_found(room: RoomWindow, text: str) -> None:
    room.window.until(lambda: room.window.run(FOUND) == text, f"finds {text}")
    assert room.window.run(OFF_CENTRE, text) < 0.3


def scroll_to_the_end(room: RoomWindow, last: str) -> None:
    """Scrolls down until the message with the text `last` is at the end."""

    def down() -> bool:
        room.window.run(DOWN)
        return room.lines[-1] == last

    room.window.until(down, f"comes to {last}")


def test_room_opens_at_a_message_with_context_and_loads_on_in_both_directions(browser: Chromium, site: str) -> None:
    lines = said(1, 200)
    room = open_at(browser, site, 100)
    assert room.lines == lines[74:125]
    is_found(room, "100")
    assert room.window.focus == "chat-message-input"
    room.window.find("#chat-newest", "To the newest")

    room.window.run(SCROLL_UP, 200)
    wait_for(room, lines[24:125])
    scroll_to_the_end(room, "200")

    assert room.lines == lines[24:]
    room.window.run(DOWN)
    room.window.until(
        lambda: not room.window.find("#chat-log").parent.find_element(By.ID, "chat-newest").is_displayed(), "is live"
    )
    assert room.window.url == f"{site}/chat/room1/"
    assert said(201, 201)
    room.hear("201")
    room.window.until(lambda: room.window.run(AT_END), "follows")
    assert room.lines == [*lines[24:], "201"]


def test_messages_that_come_while_one_reads_older_ones_stand_where_they_belong(browser: Chromium, site: str) -> None:
    lines = said(1, 150)
    room = open_at(browser, site, 50)
    lines += said(151, 160)
    room.window.find("#chat-newest", "New messages")
    assert room.lines == lines[24:75]
    edits.edit_message(ROOM, 50, "fifty", by=ZOE)
    moderation.delete_message(ROOM, 51, by=ZOE)
    room.hear("fifty")
    room.window.find(".gone", "Deleted")
    edits.edit_message(ROOM, 152, "edited", by=ZOE)
    shown = [*lines[24:49], "fifty", *lines[51:151], "edited", *lines[152:]]

    scroll_to_the_end(room, "160")

    assert room.lines == shown
    room.say("mine")
    room.hear("mine")
    assert room.lines == [*shown, "mine"]


@pytest.mark.parametrize("way", ["button", "saying something"])
def test_reader_of_older_messages_comes_to_the_newest_at_once(browser: Chromium, site: str, way: str) -> None:
    lines = said(1, 200)
    room = open_at(browser, site, 50)
    if way == "button":
        room.window.click("#chat-newest", "To the newest")
    else:
        room.say("mine")
        lines.append("mine")
    room.window.until(lambda: room.lines[-1] == lines[-1], "shows the newest")
    room.window.until(lambda: room.window.run(AT_END), "is at the end")
    assert room.lines in (lines[-50:], lines[-51:])
    said(202, 202)
    room.hear("202")


def test_reader_of_older_messages_goes_on_after_a_lost_connection(browser: Chromium, site: str) -> None:
    lines = said(1, 150)
    room = open_at(browser, site, 50, SOCKETS)
    room.window.run("sockets.at(-1).close()")
    lines += said(151, 155)
    room.connect()
    scroll_to_the_end(room, "155")
    assert room.lines == lines[24:]


@pytest.mark.parametrize(
    ("at", "shown", "nearest"),
    [
        (3, [*range(11, 36)], "11"),
        (999, [*range(34, 61)], "60"),
        (61, [*range(36, 61)], "60"),
        (0, [*range(11, 36)], "11"),
    ],
)
def test_link_to_a_message_that_is_not_there_says_so_and_opens_the_nearest(
    browser: Chromium, site: str, at: int, shown: list[int], nearest: str
) -> None:
    said(1, 60)
    moderation.delete_message(ROOM, 20, by=ZOE)  # by the entry 61
    pruning.prune(keep=51)
    room = open_at(browser, site, at)
    assert "not here" in room.window.run(NOTICE)
    assert nearest in room.lines
    assert room.window.run(FOUND) == ""


@pytest.mark.parametrize("at", ["", "x", "-1", "1.5", str(2**70)])
def test_link_to_no_offset_opens_the_room_at_its_end(browser: Chromium, site: str, at: str) -> None:
    lines = said(1, 60)
    room = open_at(browser, site, at)
    assert room.lines == lines[10:]
    assert room.window.run(NOTICE) == ""


def test_quote_leads_to_its_message_by_pointer_and_by_keyboard(browser: Chromium, site: str) -> None:
    lines = said(1, 150)
    log.append([log.Draft(room=ROOM, text="a reply", person=ZOE, reply_to=20)])
    room = RoomWindow(browser.open(f"{site}/chat/room1/")).connect()
    room.window.click(".quote", "20")
    is_found(room, "20")
    assert room.lines[:3] == lines[:3]
    room.window.click("#chat-newest")
    room.hear("a reply")

    room.window.press(Keys.SHIFT, Keys.TAB)
    room.window.type(Keys.ENTER)
    room.window.find("#chat-menu button", "Go to quoted")
    room.window.type(Keys.ARROW_DOWN, Keys.ENTER)
    is_found(room, "20")
    assert room.window.run("return document.activeElement.closest('.message').querySelector('.text').innerText") == "20"


def test_quote_of_a_message_on_the_screen_leads_there_without_loading(browser: Chromium, site: str) -> None:
    said(1, 50)
    log.append([log.Draft(room=ROOM, text="a reply", person=ZOE, reply_to=20)])
    room = RoomWindow(browser.open(f"{site}/chat/room1/")).connect()
    lines = room.lines
    room.window.click(".quote", "20")
    is_found(room, "20")
    assert room.lines == lines
    assert not room.window.run("return document.querySelector('#chat-later').checkVisibility()")


def test_time_of_a_message_is_its_link_and_the_menu_copies_it(browser: Chromium, site: str) -> None:
    said(1, 3)
    room = RoomWindow(browser.open(f"{site}/chat/room1/")).connect()
    assert room.window.find(".permalink").get_attribute("href") == f"{site}/chat/room1/?at=1"
    room.window.run("""
        window.copied = [];
        Object.defineProperty(navigator, "clipboard", { value: { writeText: async (text) => { copied.push(text); } } });
    """)
    room.window.click(".message .actions")
    room.window.click("#chat-menu button", "Copy link")
    room.window.find("#chat-jump", "The link is copied")
    assert room.window.run("return copied") == [f"{site}/chat/room1/?at=1"]


def test_link_is_copied_where_the_page_has_no_clipboard(browser: Chromium, site: str) -> None:
    said(1, 1)
    room = RoomWindow(browser.open(f"{site}/chat/room1/")).connect()
    room.window.run("""
        Object.defineProperty(navigator, "clipboard", { value: undefined });
        document.execCommand = () => { window.copied = String(document.activeElement.value); return true; };
    """)
    room.window.click(".message .actions")
    room.window.click("#chat-menu button", "Copy link")
    room.window.find("#chat-jump", "The link is copied")
    assert room.window.run("return copied") == f"{site}/chat/room1/?at=1"


def test_link_and_quote_work_on_a_phone(browser: Chromium, site: str) -> None:
    said(1, 150)
    room = open_at(browser, site, 50)
    become_phone(room.window)
    reply_to(room, "50")
    room.window.type("a reply")
    tap(room.window, "#chat-message-submit")
    room.hear("a reply")
    assert room.window.run(QUOTES) == ["Zoë\n50"]
    tap(room.window, ".quote")
    is_found(room, "50")
    assert room.window.run("return document.documentElement.scrollWidth") <= 360
