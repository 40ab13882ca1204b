"""One's own rooms beside the conversation: what is unread, the line "New", and what can be done with a room."""

import pytest
from selenium.webdriver.common.keys import Keys

from chat.domain.people import Person
from chat.domain.rooms import find
from chat.models import Reading
from chat.storage import log
from tests.browser.chromium import Chromium
from tests.browser.phone import become_phone, tap
from tests.browser.room_window import RoomWindow, enter
from tests.browser.test_accessibility import show, violations
from tests.browser.test_history import SCROLL_UP
from tests.browser.test_links import scroll_to_the_end
from tests.browser.window import Window

BEN = Person(id="guest-0123456789abcdef", name="Quiet Otter 42")
HIDDEN = "Object.defineProperty(document, 'visibilityState', { get: () => window.seen ? 'visible' : 'hidden' })"


def say(room: str, *texts: str) -> None:
    log.append([log.Draft(room=find(room), text=text, person=BEN) for text in texts or ("hi",)])


def visit(browser: Chromium, site: str, *rooms: str) -> None:
    """Opens rooms, one after the other, until each is one of the visitor's own; then leaves them."""
    window = browser.open(f"{site}/chat/")
    for room in rooms:
        window.go(f"{site}/chat/{room}/")
        RoomWindow(window).connect()
    window.go(f"{site}/chat/")


def badge(window: Window, room: str) -> str | None:
    """The count that the list shows beside a room; None if the room isn't in it."""
    return window.run(
        """const items = [...document.querySelectorAll("own-rooms li")];
        return items.find((item) => item.dataset.room === arguments[0])?.querySelector(".unread-count").textContent""",
        room,
    )


def until_badge(window: Window, room: str, text: str | None) -> None:
    window.until(lambda: badge(window, room) == text, f"{room} has {text!r} unread, not {badge(window, room)!r}")


def choose(window: Window, room: str, *labels: str) -> None:
    """Does something with a room by its menu."""
    window.run("document.querySelector(`li[data-room='${arguments[0]}'] .room-actions`).click()", room)
    for label in labels:
        window.click(".room-side .menu-item", label)


def test_list_counts_what_is_said_elsewhere_until_it_is_read_on_another_device(
    browser: Chromium, site: str, same_site: str
) -> None:
    visit(browser, site, "room1", "room2")
    here = enter(browser, site, "room1").window
    other = enter(browser, same_site, "room2")
    until_badge(here, "room2", "")
    for number in (1, 2):
        other.say("hello")
        until_badge(here, "room2", str(number))
    there = enter(browser, site, "room2")
    there.hear("hello")
    until_badge(here, "room2", "")


def test_room_opens_at_the_line_new_until_its_end_was_seen(browser: Chromium, site: str) -> None:
    say("room1", *(f"old {number}" for number in range(40)))
    visit(browser, site, "room1", "room2")
    say("room1", *(f"new {number}" for number in range(70)))
    room = enter(browser, site, "room1")
    window = room.window
    line = window.find(".new-line", "New")
    assert window.run("return arguments[0].nextElementSibling.querySelector('.text').textContent", line) == "new 0"
    assert window.focus == "chat-message-input"
    assert {"old 39", "new 0", "new 69"} <= set(room.lines)
    window.click("#chat-newest")
    other = enter(browser, site, "room2").window
    until_badge(other, "room1", "")

    window.go(window.url)

    room.connect()
    assert not window.run("return document.querySelector('.new-line')")


def test_room_with_more_unread_than_a_page_shows_opens_where_one_left_off_and_goes_on_to_its_end(
    browser: Chromium, site: str
) -> None:
    say("room1", *(f"old {number}" for number in range(100)))
    visit(browser, site, "room1", "room2")
    say("room1", *(f"new {number}" for number in range(250)))
    room = enter(browser, site, "room1")
    window = room.window
    line = window.find(".new-line", "New")
    assert window.run("return arguments[0].nextElementSibling.querySelector('.text').textContent", line) == "new 0"
    assert window.run("const { top } = arguments[0].getBoundingClientRect(); return top > 0 && top < innerHeight", line)
    assert "new 249" not in room.lines
    until_badge(window, "room1", "99+")

    window.run(SCROLL_UP, 100)
    room.hear("old 30")
    scroll_to_the_end(room, "new 249")

    assert room.lines[room.lines.index("old 30") :] == [
        *(f"old {number}" for number in range(30, 100)),
        *(f"new {number}" for number in range(250)),
    ]
    until_badge(window, "room1", "")
    assert len(window.driver.find_elements("css selector", ".new-line")) == 1


def test_press_leads_from_where_one_left_off_to_the_newest(browser: Chromium, site: str) -> None:
    visit(browser, site, "room1", "room2")
    say("room1", *(f"new {number}" for number in range(250)))
    room = enter(browser, site, "room1")
    room.window.find(".new-line", "New")
    room.window.click("#chat-newest")
    room.hear("new 249")
    until_badge(room.window, "room1", "")


def test_messages_that_come_while_the_page_is_hidden_are_new(browser: Chromium, site: str, same_site: str) -> None:
    visit(browser, site, "room1")
    room = RoomWindow(browser.open(f"{site}/chat/room1/", f"window.seen = true; {HIDDEN}")).connect()
    other = enter(browser, same_site, "room1")
    other.say("seen")
    room.hear("seen")
    read = Reading.objects.filter(room_name="room1", read_offset=1)
    room.window.until(lambda: read.count() == 2, "it counts as read for both")
    room.window.run("window.seen = false")
    other.say("not seen")
    room.hear("not seen")
    line = room.window.find(".new-line", "New")
    text = room.window.run("return arguments[0].nextElementSibling.querySelector('.text').textContent", line)
    assert text == "not seen"
    until_badge(room.window, "room1", "1")
    room.window.run("window.seen = true; document.dispatchEvent(new Event('visibilitychange'))")
    until_badge(room.window, "room1", "")


def test_message_can_be_marked_unread_with_all_that_follows(browser: Chromium, site: str) -> None:
    say("room1", "1", "2", "3")
    visit(browser, site, "room1", "room2")
    elsewhere = enter(browser, site, "room2").window
    room = enter(browser, site, "room1").window
    room.run("[...document.querySelectorAll('.message')].at(1).querySelector('.actions').click()")
    room.click("#chat-menu .menu-item", "Mark unread from here")
    room.find(".new-line", "New")
    until_badge(elsewhere, "room1", "2")
    until_badge(room, "room1", "2")


def test_all_rooms_can_be_marked_read(browser: Chromium, site: str) -> None:
    visit(browser, site, "room1", "room2", "room3")
    window = enter(browser, site, "room1").window
    say("room2")
    say("room3", "1", "2")
    until_badge(window, "room2", "1")
    until_badge(window, "room3", "2")
    window.click(".room-read-all")
    until_badge(window, "room2", "")
    until_badge(window, "room3", "")


def test_room_can_be_muted_and_left(browser: Chromium, site: str) -> None:
    visit(browser, site, "room1", "room2")
    window, other = enter(browser, site, "room1").window, enter(browser, site, "room1").window
    choose(window, "room2", "Mute")
    for one in (window, other):
        one.find("li[data-room=room2][data-involvement=nothing]")
    choose(window, "room2", "Leave", "Really leave?")
    for one in (window, other):
        until_badge(one, "room2", None)
    choose(window, "room1", "Leave", "Really leave?")
    for one in (window, other):
        one.until(lambda one=one: one.url == f"{site}/chat/", "leaves the room")
        assert "room1" not in one.find("section.card", "Your rooms").text


def test_graphql_clients_mark_changes_the_page(browser: Chromium, site: str) -> None:
    visit(browser, site, "room1", "room2")
    window = enter(browser, site, "room1").window
    say("room2", "1", "2", "3")
    until_badge(window, "room2", "3")
    mutation = 'mutation { markRead(input: {roomName: "room2", offset: 2}) { error { code } } }'
    request = {"method": "POST", "headers": {"Content-Type": "application/json"}}
    window.run(
        "return fetch('/graphql', {...arguments[0], body: JSON.stringify({ query: arguments[1] })}).then(() => 0)",
        request,
        mutation,
    )
    until_badge(window, "room2", "1")


class TestSwitcher:
    def test_ctrl_k_goes_to_one_of_ones_own_rooms_by_a_part_of_its_name(self, browser: Chromium, site: str) -> None:
        visit(browser, site, "room1", "Another", "third")
        window = enter(browser, site, "room1").window
        window.press(Keys.CONTROL, "k")
        assert window.focus == "room-switcher-input"
        window.type("NOTH")
        window.find("[role=option][aria-selected=true]", "Another")
        window.type(Keys.ENTER)
        window.until(lambda: window.url == f"{site}/chat/Another/", "goes to the room")

    def test_switcher_finds_public_rooms_and_offers_the_typed_name(self, browser: Chromium, site: str) -> None:
        say("discovered")
        window = enter(browser, site, "room1").window
        window.press(Keys.META, "k")
        window.type("disc")
        window.find("[role=option]", "Enter disc")
        window.find("[role=option]", "discovered")
        window.type(Keys.ARROW_UP)
        assert window.find("[role=option][aria-selected=true]").text == "Enter disc"
        assert window.run("return document.activeElement.getAttribute('aria-activedescendant')")
        window.type(Keys.ARROW_DOWN, Keys.ENTER)
        window.until(lambda: window.url == f"{site}/chat/discovered/", "goes to the room")

    def test_escape_closes_the_switcher_and_gives_the_focus_back(self, browser: Chromium, site: str) -> None:
        window = enter(browser, site, "room1").window
        window.press(Keys.CONTROL, "k")
        window.find("#room-switcher")
        window.type("x", Keys.ESCAPE)
        window.until(lambda: window.focus == "chat-message-input", "has the focus back")
        assert not window.run("return document.querySelector('#room-switcher').open")


def test_phone_has_the_list_one_press_away(browser: Chromium, site: str) -> None:
    visit(browser, site, "room1", "room2", "room3")
    window = become_phone(enter(browser, site, "room1").window)
    window.go(window.url)
    RoomWindow(window).connect()
    say("room2", "1", "2")
    window.find("#rooms-open", "2")
    tap(window, "#rooms-open")
    window.find("#rooms-drawer li", "room2")
    assert window.run("return document.querySelector('#rooms-drawer').contains(document.activeElement)")
    window.type(Keys.ESCAPE)
    window.until(lambda: window.focus == "rooms-open", "has the focus back")
    tap(window, "#rooms-open")
    tap(window, "#rooms-drawer li a", "room2")
    window.until(lambda: window.url == f"{site}/chat/room2/", "goes to the room")
    RoomWindow(window).connect().hear("2")


def test_directory_finds_rooms_as_one_types(browser: Chromium, site: str) -> None:
    for room in ("Café", "café au lait", "room1"):
        say(room)
    window = browser.open(f"{site}/chat/")
    window.find("#directory a", "room1")
    window.type_into("#directory-input", "CAF")
    window.find("#directory [role=status]", "2 rooms")
    links = "return [...document.querySelectorAll('#directory a')].map((link) => link.textContent)"
    assert window.run(links) == ["café au lait", "Café"]
    window.type_into("#directory-input", "x")
    window.find("#directory [role=status]", "No public room")
    window.go(f"{site}/chat/?matching=lait")
    assert window.run(links) == ["café au lait"]


def test_directory_adds_more_rooms_to_its_list_and_leads_to_the_first_of_them(browser: Chromium, site: str) -> None:
    for number in reversed(range(120)):
        say(f"room {number}")
    window = browser.open(f"{site}/chat/")
    count = "return document.querySelectorAll('#directory li').length"
    focused = "return document.activeElement.textContent"
    window.click(".directory-more", "More rooms")
    window.until(lambda: window.run(count) == 100, "shows 100")
    assert window.run(focused) == "room 50"
    window.click(".directory-more", "More rooms")
    window.until(lambda: window.run(count) == 120, "shows 120")
    assert window.run(focused) == "room 100"
    window.find("#directory [role=status]", "20 more rooms")
    assert window.run("return document.querySelector('.directory-more')") is None
    window.type_into("#directory-input", "room 1")
    window.find("#directory [role=status]", "31 rooms")
    assert window.run(count) == 31


@pytest.mark.parametrize("width", [360, 1200])
def test_lists_and_dialogs_of_rooms_have_no_axe_violations(browser: Chromium, site: str, width: int) -> None:
    visit(browser, site, "room1", "room2", "room3")
    window = enter(browser, site, "room1").window
    say("room1", "something to read")
    say("room2", *(str(number) for number in range(120)))
    until_badge(window, "room2", "99+")
    choose(window, "room3", "Mute")
    window.find("li[data-room=room3][data-involvement=nothing]")
    show(window, width)
    if width == 360:
        window.click("#rooms-open")
    window.run("document.querySelector('li[data-room=room2] .room-actions').click()")
    window.find(".menu-item", "Mute")
    assert violations(window) == []
    window.type(Keys.ESCAPE)
    window.click("#room-switch")
    window.type("room")
    window.find("[role=option]", "Enter room")
    assert violations(window) == []
    window.type(Keys.ESCAPE)
    window.go(f"{site}/chat/")
    window.find("#directory a", "room2")
    assert violations(window) == []
