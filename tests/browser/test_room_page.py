"""The page of a room, in use."""

import pytest
from selenium.webdriver.common.keys import Keys

from tests.browser.chromium import Chromium
from tests.browser.room_window import enter

TEXTS = "return Array.from(document.querySelectorAll(arguments[0]), (line) => line.querySelector('.text').textContent)"
ALERT = "#chat-composer-error"


def test_one_can_type_at_once_and_by_keyboard_alone(browser: Chromium, site: str) -> None:
    room = enter(browser, site, "room1")
    assert room.window.focus == "chat-message-input"

    room.say("sent by Enter")
    room.window.type("sent by ")
    room.window.press(Keys.SHIFT, Keys.ENTER)
    room.window.type("the button", Keys.TAB, Keys.SPACE)
    room.hear("the button")
    room.say("and on")

    room.hear("and on")
    assert room.transcript == "sent by Enter\nsent by \nthe button\nand on\n"


def test_typing_goes_to_the_message_wherever_one_has_clicked(browser: Chromium, site: str) -> None:
    room = enter(browser, site, "room1")
    room.window.find("#chat-log").click()
    room.say("hello")
    room.hear("hello")


def test_clicking_the_button_sends(browser: Chromium, site: str) -> None:
    room = enter(browser, site, "room1")
    room.window.type("hello")
    room.window.find("#chat-message-submit").click()
    room.hear("hello")
    assert room.window.focus == "chat-message-input"


def test_nothing_blank_is_sent(browser: Chromium, site: str) -> None:
    room = enter(browser, site, "room1")
    room.say("   ")
    room.say("something")
    room.hear("   something")
    assert room.transcript == "   something\n"


def test_ones_own_messages_are_told_apart(browser: Chromium, site: str, same_site: str) -> None:
    mine, theirs = enter(browser, site, "room1"), enter(browser, same_site, "room1")
    mine.say("from me")
    theirs.hear("from me")
    theirs.say("from them")
    mine.hear("from them")
    assert mine.window.run(TEXTS, ".message.own") == ["from me"]
    assert theirs.window.run(TEXTS, ".message.own") == ["from them"]
    assert mine.window.run("return document.querySelector('.own .author').textContent") == "You"


@pytest.mark.parametrize(
    "text",
    [
        "<img src=nothing onerror=document.title='run'>",
        "<script>document.title='run'</script>",
        "&lt;b&gt; {{ x }}",
    ],
)
def test_text_is_shown_as_it_was_typed(browser: Chromium, site: str, text: str) -> None:
    room = enter(browser, site, "room1")
    room.say(text)
    room.hear(text)
    assert room.window.run("return document.querySelector('#chat-log').querySelectorAll('img, script').length") == 0
    assert room.window.run("return document.title") == "room1 – Chat"


def test_what_is_too_long_is_not_sent_and_not_lost(browser: Chromium, site: str) -> None:
    room = enter(browser, site, "room1")
    room.window.run("document.querySelector('#chat-message-input').value = 'x'.repeat(4001)")
    room.window.type(Keys.ENTER)

    assert room.window.find(ALERT, "Too long to send").aria_role == "alert"
    assert room.window.run("return document.querySelector('#chat-message-input').value.length") == 4001

    room.window.type(Keys.BACKSPACE, Keys.ENTER)

    room.hear("x" * 4000)


def test_an_error_of_the_servers_is_shown_and_the_text_comes_back(browser: Chromium, site: str) -> None:
    room = enter(browser, site, "room1")
    room.window.run("document.querySelector('#chat-message-input').value = 'a\\ud800b'")

    room.window.type(Keys.ENTER)

    room.window.find(ALERT, "characters")
    assert room.window.run("return document.querySelector('#chat-message-input').value === 'a\\ud800b'")
    assert room.transcript == ""


@pytest.mark.parametrize("path", ["/chat/", "/chat/room1/", "/chat/%20/", "/accounts/login/", "/accounts/signup/"])
def test_a_phone_never_scrolls_sideways(browser: Chromium, site: str, path: str) -> None:
    window = browser.open("about:blank")
    phone = {"width": 360, "height": 640, "deviceScaleFactor": 2, "mobile": True}
    window.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", phone)
    window.go(f"{site}{path}")
    browser.complaints()  # of the status of a name that is none
    if path == "/chat/room1/":
        window.find("#chat-status", "Connected")
        window.type("W" * 200, Keys.ENTER)
        window.find("#chat-log .message", "WWW")
    assert window.run("return document.documentElement.scrollWidth") == 360


def test_assistive_technology_is_told_what_is_what(browser: Chromium, site: str) -> None:
    room = enter(browser, site, "room1")
    wanted = {
        "main": ("main", ""),
        "h1": ("heading", "room1"),
        "nav.room-side": ("navigation", "Rooms"),
        ".room-list a": ("link", "room1"),
        "#chat-status [role=status]": ("status", ""),
        "#chat-scroller": ("region", "Conversation"),
        "#chat-log": ("log", "Messages"),
        "#chat-message-input": ("textbox", "Message"),
        "#chat-message-submit": ("button", "Send"),
    }
    elements = {selector: room.window.find(selector) for selector in wanted}
    assert {selector: (each.aria_role, each.accessible_name) for selector, each in elements.items()} == wanted
