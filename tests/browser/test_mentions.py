"""Mentions on the page: completed by the keys or a press, and marked for whom they are."""

import pytest
from selenium.webdriver.common.keys import Keys

from tests.browser.chromium import Chromium
from tests.browser.room_window import RoomWindow, enter

VALUE = "return document.querySelector('#chat-message-input').value"
NAME = "return document.querySelector('.account .person bdi').textContent"
OPTIONS = "return [...document.querySelectorAll('#chat-candidates:not([hidden]) li')].map((option) => option.innerText)"
CALLED = "return [...document.querySelectorAll('.called .text')].map((text) => text.textContent)"


@pytest.fixture
def ann(browser: Chromium, site: str) -> RoomWindow:
    room = enter(browser, site, "room1")
    room.say("I am here")
    room.hear("I am here")
    return room


@pytest.mark.parametrize("how", ["keys", "press"])
def test_name_is_completed_and_marks_the_message_for_whom_it_calls(
    browser: Chromium, site: str, same_site: str, ann: RoomWindow, how: str
) -> None:
    name = ann.window.run(NAME)
    other = enter(browser, same_site, "room1")
    other.window.type(f"hello @{name[:3]}")
    other.window.until(lambda: other.window.run(OPTIONS) == [name], "offers the name")
    if how == "keys":
        other.window.type(Keys.ENTER)
    else:
        other.window.click("#chat-candidates li")
    assert other.window.run(VALUE) == f'hello @"{name}" '
    assert other.window.run(OPTIONS) == []
    other.window.type("!", Keys.ENTER)
    for room in (ann, other):
        room.hear(f'hello @"{name}" !')
    assert ann.window.run(CALLED) == [f'hello @"{name}" !']
    assert other.window.run(CALLED) == []


def test_completion_is_left_by_escape_and_enter_then_sends(
    browser: Chromium, site: str, same_site: str, ann: RoomWindow
) -> None:
    other = enter(browser, same_site, "room1")
    other.window.type("@")
    other.window.until(lambda: other.window.run(OPTIONS), "offers names")
    other.window.type(Keys.ESCAPE)
    assert other.window.run(OPTIONS) == []
    other.window.type(Keys.ENTER)
    other.hear("@")
