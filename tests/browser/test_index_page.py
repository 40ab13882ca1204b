"""The page that leads to a room."""

from urllib.parse import quote

import pytest
from selenium.webdriver.common.keys import Keys

from tests.browser.chromium import Chromium
from tests.browser.room_window import RoomWindow

NAMES = ["room1", "café", "房间 1", "a/b", "a/..", "50% off", "😀", "a?b#c", "<b>&amp;", "x" * 100]


@pytest.mark.parametrize("name", NAMES)
def test_index_page_leads_to_the_room_of_any_name(browser: Chromium, site: str, name: str) -> None:
    window = browser.open(f"{site}/chat/")
    assert window.focus == "room-name-input"
    # ChromeDriver types no characters beyond 16 bits.
    window.run("document.activeElement.value = arguments[0]", name)

    window.type(Keys.ENTER)

    assert window.find("#room-heading", name).text == name
    assert window.url == f"{site}/chat/{quote(name, safe='')}/"
    room = RoomWindow(window).connect()
    room.say("is anybody here?")
    room.hear("is anybody here?")


def test_index_page_button_leads_to_the_typed_room(browser: Chromium, site: str) -> None:
    window = browser.open(f"{site}/chat/")
    window.type(" café ")
    window.click("#room-name-submit")
    window.until(lambda: window.url == f"{site}/chat/caf%C3%A9/", "enters café")


def test_similar_room_names_are_different_rooms(browser: Chromium, site: str) -> None:
    names = ["a/b", "a b", "a-b", "A-b", "房间 1", "😀", "😁"]
    rooms = [RoomWindow(browser.open(f"{site}/chat/{quote(name, safe='')}/")).connect() for name in names]
    for name, room in zip(names, rooms, strict=True):
        room.say(f"this is {names.index(name)}")
    for name, room in zip(names, rooms, strict=True):
        room.hear(f"this is {names.index(name)}")
        assert len(room.lines) == 1


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("", "Type the name"),
        ("   ", "Type the name"),
        (".", "cannot be called"),
        ("..", "cannot be called"),
        ("x" * 101, "at most 100 characters"),
        ("a\x07b", "control characters"),
    ],
)
def test_index_page_explains_an_invalid_room_name(browser: Chromium, site: str, name: str, error: str) -> None:
    window = browser.open(f"{site}/chat/")
    window.run("document.activeElement.value = arguments[0]", name)

    window.type(Keys.ENTER)

    assert window.find("#room-name-error", error).aria_role == "alert"
    assert window.url == f"{site}/chat/"
    assert window.focus == "room-name-input"

    window.type("b")

    assert window.run("return document.querySelector('#room-name-error').textContent") == ""


def test_index_page_links_to_recent_rooms(browser: Chromium, site: str) -> None:
    for name in ["first", "a/b"]:
        RoomWindow(browser.open(f"{site}/chat/{quote(name, safe='')}/")).connect()
    window = browser.open(f"{site}/chat/")

    window.click(".room-list a", "a/b")

    window.until(lambda: window.url == f"{site}/chat/a%2Fb/", "enters a/b")
    RoomWindow(window).connect()
