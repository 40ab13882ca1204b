"""The pages on a phone: nothing is wider than the screen, or too small for a finger."""

import pytest
from django.contrib.auth.models import User
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from chat.domain import people
from chat.domain.people import Person
from chat.domain.rooms import find
from chat.storage import log, moderation
from tests.browser.chromium import Chromium
from tests.browser.phone import become_phone, tap
from tests.browser.room_window import RoomWindow
from tests.browser.test_history import said
from tests.browser.test_private_room import log_in
from tests.browser.window import Window

WIDTH = "return document.documentElement.scrollWidth"
# Targets less than 44 px high or wide.
SMALL = """
    const targets = document.querySelectorAll("a, button, input, select, textarea, [tabindex='0']:not(#chat-scroller)");
    return Array.from(targets)
        .filter((target) => target.checkVisibility() && getComputedStyle(target).pointerEvents !== "none")
        .map((target) => [target, target.getBoundingClientRect()])
        .filter(([target, { width, height }]) => width < 44 || height < 44)
        .map(([target, { width, height }]) => `${target.outerHTML.slice(0, 60)} ${width} × ${height}`);
"""
WIDE_NAME = "W" * 40
WIDE_ROOM = "W" * 100


@pytest.fixture
def phone(browser: Chromium, site: str) -> Window:
    return become_phone(browser.open(f"{site}/chat/"))


def open_room(phone: Window, site: str, room: str = "room1") -> RoomWindow:
    phone.go(f"{site}/chat/{room}/")
    return RoomWindow(phone).connect()


@pytest.mark.parametrize(
    "path", ["/chat/", "/chat/room1/", f"/chat/{WIDE_ROOM}/", "/accounts/name/", "/accounts/login/"]
)
def test_page_is_no_wider_than_the_screen_when_names_are_wide(phone: Window, site: str, path: str) -> None:
    said(1, 2, room=WIDE_ROOM)
    phone.go(f"{site}/accounts/name/")
    phone.fill_in(name=WIDE_NAME)
    phone.find(".person", "WWW")
    open_room(phone, site, WIDE_ROOM)

    phone.go(f"{site}{path}")

    phone.find("main")
    assert phone.run(WIDTH) == 360


@pytest.mark.parametrize("path", ["/chat/", "/accounts/login/", "/accounts/signup/", "/accounts/name/"])
def test_targets_of_pages_are_at_least_44_px_on_a_phone(phone: Window, site: str, path: str) -> None:
    phone.go(f"{site}{path}")
    phone.find("main button")
    assert phone.run(SMALL) == []


def test_targets_of_the_room_page_are_at_least_44_px_on_a_phone(phone: Window, site: str) -> None:
    said(1, 60)
    room = open_room(phone, site)
    phone.type("\n".join(str(number) for number in range(100)))
    tap(phone, "#chat-message-submit")
    tap(phone, "#chat-log .own .actions")
    phone.find("#chat-menu button", "Delete")
    assert room.lines[-1] == "99"
    assert phone.find(".fold", "Show more")
    assert phone.run(SMALL) == []


def test_mention_and_link_in_a_message_are_as_high_as_its_text_on_a_phone(phone: Window, site: str) -> None:
    ann = Person(id="user-1", name="Ann")
    for text in ("@Ann", "https://a.example"):
        log.append([log.Draft(room=find("room1"), text=text, person=ann, mentions=(ann,))])
    open_room(phone, site)
    phone.find(".text a", "https")
    heights = phone.run("return [...document.querySelectorAll('.text a')].map((link) => link.offsetHeight)")
    assert len(heights) == 2
    assert max(heights) < 30


def test_name_of_a_private_room_has_space_beside_all_else_on_a_phone(phone: Window, site: str) -> None:
    log_in(phone, site, "owner")
    moderation.create(find("private talk"), private=True, by=people.of_user(User.objects.get(username="owner")))
    open_room(phone, site)
    open_room(phone, site, "private%20talk")
    said(1, 120)
    phone.find("#rooms-open .unread-count", "99+")
    assert phone.find("h1").size["width"] >= 80
    assert phone.run(WIDTH) == 360


def test_list_of_keys_and_formatting_is_below_the_rooms_on_a_phone(phone: Window, site: str) -> None:
    open_room(phone, site)
    tap(phone, "#rooms-open")
    tap(phone, "#rooms-drawer button", "Keys and formatting")
    phone.find("#chat-keys h3", "Formatting")
    assert phone.run(WIDTH) == 360
    assert phone.run(SMALL) == []
    tap(phone, "#chat-keys button", "Close")
    phone.until(lambda: phone.focus == "keys-open-aside", "has the focus where it was")


def test_enter_starts_a_new_line_and_the_button_sends_on_a_phone(phone: Window, site: str) -> None:
    room = open_room(phone, site)
    composer = phone.find("#chat-message-input")
    assert composer.get_attribute("enterkeyhint") == "enter"

    phone.type("first", Keys.ENTER, "second")
    assert room.transcript == ""
    tap(phone, "#chat-message-submit")

    room.hear("second")
    assert room.transcript == "first\nsecond\n"
    assert phone.focus == "chat-message-input"


def test_tap_on_an_own_message_opens_its_menu_on_a_phone(phone: Window, site: str) -> None:
    room = open_room(phone, site)
    phone.type("a slip")
    tap(phone, "#chat-message-submit")
    room.hear("a slip")
    assert "Delete" not in phone.run("return document.body.innerText")

    tap(phone, ".own .text", "a slip")
    phone.find("#chat-menu button", "Delete")
    tap(phone, "#chat-heading, h1")
    phone.until(lambda: not phone.driver.find_element(By.ID, "chat-menu").is_displayed(), "closes")
    tap(phone, ".own .text", "a slip")
    tap(phone, "#chat-menu button", "Delete")
    tap(phone, "#chat-menu button", "Really delete?")

    phone.find(".gone", "Deleted")
    assert room.transcript == ""


def test_room_name_input_is_neither_corrected_nor_capitalised(phone: Window) -> None:
    field = phone.find("#room-name-input")
    wanted = {"autocapitalize": "none", "autocorrect": "off", "spellcheck": "false"}
    assert {name: field.get_dom_attribute(name) for name in wanted} == wanted
