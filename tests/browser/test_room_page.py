"""The page of a room, in use."""

import pytest
from selenium.webdriver.common.keys import Keys

from tests.browser.chromium import Chromium
from tests.browser.room_window import enter

TEXTS = "return Array.from(document.querySelectorAll(arguments[0]), (line) => line.querySelector('.text').textContent)"
ALERT = "#chat-composer-error"


def test_room_page_is_used_by_keyboard_alone_without_a_click(browser: Chromium, site: str) -> None:
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


def test_typing_goes_to_the_composer_after_a_click_on_the_log(browser: Chromium, site: str) -> None:
    room = enter(browser, site, "room1")
    room.window.click("#chat-log")
    room.say("hello")
    room.hear("hello")


def test_click_on_the_send_button_sends(browser: Chromium, site: str) -> None:
    room = enter(browser, site, "room1")
    room.window.type("hello")
    room.window.click("#chat-message-submit")
    room.hear("hello")
    assert room.window.focus == "chat-message-input"


def test_blank_message_is_not_sent(browser: Chromium, site: str) -> None:
    room = enter(browser, site, "room1")
    room.say("   ")
    room.say("something")
    room.hear("   something")
    assert room.transcript == "   something\n"


def test_own_messages_are_marked_as_such(browser: Chromium, site: str, same_site: str) -> None:
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
def test_message_text_is_shown_as_typed_and_never_as_html(browser: Chromium, site: str, text: str) -> None:
    room = enter(browser, site, "room1")
    room.say(text)
    room.hear(text)
    assert room.window.run("return document.querySelector('#chat-log').querySelectorAll('img, script').length") == 0
    assert room.window.run("return document.title") == "room1 – Chat"


def test_too_long_message_is_not_sent_and_stays_in_the_composer(browser: Chromium, site: str) -> None:
    room = enter(browser, site, "room1")
    room.window.run("document.querySelector('#chat-message-input').value = 'x'.repeat(4001)")
    room.window.type(Keys.ENTER)

    assert room.window.find(ALERT, "Too long to send").aria_role == "alert"
    assert room.window.run("return document.querySelector('#chat-message-input').value.length") == 4001

    room.window.type(Keys.BACKSPACE, Keys.ENTER)

    room.hear("x" * 4000)


def test_message_refused_by_the_server_comes_back_with_the_error(browser: Chromium, site: str) -> None:
    room = enter(browser, site, "room1")
    room.window.run("document.querySelector('#chat-message-input').value = 'a\\ud800b'")

    room.window.type(Keys.ENTER)

    room.window.find(ALERT, "characters")
    assert room.window.run("return document.querySelector('#chat-message-input').value === 'a\\ud800b'")
    assert room.transcript == ""


@pytest.mark.parametrize("path", ["/chat/", "/chat/room1/", "/chat/%20/", "/accounts/login/", "/accounts/signup/"])
def test_pages_never_scroll_sideways_on_a_phone(browser: Chromium, site: str, path: str) -> None:
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


def test_room_page_has_roles_and_accessible_names(browser: Chromium, site: str) -> None:
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
