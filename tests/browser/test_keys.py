"""The list of keys: how it opens and closes, and that the keys do what it says."""

import pytest
from selenium.webdriver.common.keys import Keys

from tests.browser.chromium import Chromium
from tests.browser.room_window import enter
from tests.browser.window import Window

IS_OPEN = "return document.querySelector('#chat-keys').open"
OPEN = "return Array.from(document.querySelectorAll('dialog[open]'), ({ id }) => id)"
INPUT = "#chat-message-input"
VALUE = f"return document.querySelector('{INPUT}').value"
KEYS = "return Array.from(document.querySelectorAll('#chat-keys dt'), (keys) => keys.textContent)"


@pytest.fixture
def window(browser: Chromium, site: str) -> Window:
    return enter(browser, site, "room1").window


def until_closed(window: Window) -> None:
    window.until(lambda: not window.run(IS_OPEN), "the list of keys is closed")


@pytest.mark.parametrize("place", ["#chat-scroller", "#room-switch", "#chat-message-submit"])
def test_question_mark_opens_the_list_and_escape_gives_the_focus_back(window: Window, place: str) -> None:
    window.run("document.querySelector(arguments[0]).focus()", place)
    window.type("?")
    assert window.find("#chat-keys", "Keys and formatting")
    assert window.run("return document.activeElement.closest('dialog').id") == "chat-keys"
    window.type(Keys.ESCAPE)
    until_closed(window)
    assert f"#{window.focus}" == place
    assert window.run(VALUE) == ""


def test_question_mark_on_the_page_itself_opens_the_list_and_letters_go_into_the_message(window: Window) -> None:
    window.run("document.activeElement.blur()")
    window.type("?")
    window.find("#chat-keys")
    window.type(Keys.ESCAPE)
    until_closed(window)
    window.run("document.activeElement.blur()")
    window.type("x")
    window.until(lambda: window.run(VALUE) == "x", "is in the message")


def test_question_mark_in_a_message_is_a_character(window: Window) -> None:
    window.type("ok?")
    assert window.run(VALUE) == "ok?"
    assert not window.run(IS_OPEN)


def test_question_mark_in_another_dialog_or_menu_opens_nothing(browser: Chromium, site: str) -> None:
    room = enter(browser, site, "room1")
    room.say("mine")
    room.hear("mine")
    room.window.click(".own .actions")
    room.window.find("#chat-menu button", "Delete")
    room.window.type("?")
    assert not room.window.run(IS_OPEN)
    room.window.type(Keys.ESCAPE)
    room.window.press(Keys.CONTROL, "k")
    room.window.type("?")
    assert not room.window.run(IS_OPEN)
    assert room.window.run("return document.querySelector('#room-switcher-input').value") == "?"


def test_keys_open_no_dialog_over_another_one(browser: Chromium, site: str) -> None:
    room = enter(browser, site, "room1")
    room.say("mine")
    room.hear("mine")
    room.window.run("document.querySelector('.own .actions').click()")
    room.window.click("[aria-label='React with another emoji']")
    room.window.find("#chat-picker")
    room.window.press(Keys.CONTROL, "k")
    room.window.run("document.activeElement.blur()")
    room.window.type("?")
    assert room.window.run(OPEN) == ["chat-picker"]
    room.window.type(Keys.ESCAPE)
    room.window.until(lambda: room.window.run(OPEN) == [], "the picker is closed")
    room.window.press(Keys.CONTROL, "k")
    room.window.until(lambda: room.window.run(OPEN) == ["room-switcher"], "the switcher is open")


def test_button_in_the_header_opens_the_list_and_gets_the_focus_back(window: Window) -> None:
    button = window.find("#keys-open")
    assert (button.accessible_name, button.get_attribute("aria-keyshortcuts")) == ("Keys and formatting", "?")
    button.click()
    window.find("#chat-keys button", "Close")
    window.type(Keys.ENTER)
    until_closed(window)
    assert window.focus == "keys-open"


def test_list_names_the_keys_of_each_place_and_the_formatting(window: Window) -> None:
    window.click("#keys-open")
    window.find("#chat-keys .formatting-help", "**bold**")
    keys = window.run(KEYS)
    assert {"?", "Ctrl + K, ⌘ + K", "Shift + Enter", "@", "R"} <= set(keys)
