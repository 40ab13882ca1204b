"""A browser's very first visit: with two pages at once, and without cookies."""

from collections.abc import Iterator

import pytest
from django.contrib.sessions.models import Session
from selenium.webdriver.common.keys import Keys

from chat.models import Message
from tests.browser.chromium import Chromium
from tests.browser.room_window import RoomWindow, enter
from tests.browser.window import Window

BLOCKED = 2  # as Chromium's preferences have it
NOTICE = "Your browser keeps no cookies for this site, so you can read here, but not say anything."


def windows_opened_by(browser: Chromium, window: Window, script: str, count: int) -> list[RoomWindow]:
    before = set(window.driver.window_handles)
    window.run(script)
    window.until(lambda: len(set(window.driver.window_handles) - before) == count, "opens windows")
    opened = []
    for handle in set(window.driver.window_handles) - before:
        browser.driver.switch_to.window(handle)
        opened.append(RoomWindow(Window(browser.driver)))
    return opened


def name_of(room: RoomWindow) -> str:
    return room.window.find(".account .person bdi").text


def test_two_pages_opened_at_the_first_visit_agree_on_one_guest(browser: Chromium, site: str) -> None:
    window = browser.open(f"{site}/livez")
    rooms = windows_opened_by(browser, window, "for (const _ of '12') window.open('/chat/room1/', '_blank')", 2)
    first, second = rooms
    first.window.until(lambda: name_of(first) == name_of(second), "agree on who they are")
    assert Session.objects.count() >= 2  # there were two to agree on

    for room in rooms:
        room.connect()
        assert not room.window.driver.find_elements("css selector", ".notice:not([hidden])")
        room.say("it's me")
    for room in rooms:
        room.window.until(lambda room=room: room.lines == ["it's me", "it's me"], "hears both")
    assert {message.person_name for message in Message.objects.all()} == {name_of(first)}
    assert Message.objects.values("person_id").distinct().count() == 1


@pytest.fixture
def cookieless() -> Iterator[Chromium]:
    chromium = Chromium(**{"profile.default_content_setting_values.cookies": BLOCKED})
    yield chromium
    chromium.quit()


@pytest.mark.parametrize(
    "before", ["", "Object.defineProperty(Navigator.prototype, 'cookieEnabled', { get: () => true })"]
)
def test_room_page_without_cookies_says_so_once_and_can_be_read(
    browser: Chromium, site: str, cookieless: Chromium, before: str
) -> None:
    """Also where the browser says that it keeps cookies, and doesn't."""
    other = enter(browser, site, "room1")
    other.say("before")
    other.hear("before")

    room = RoomWindow(cookieless.open(f"{site}/chat/room1/", before))

    room.window.find("#chat-identity", NOTICE)
    room.connect().hear("before")
    other.say("hello")
    room.hear("hello")
    room.window.type("can you hear me?", Keys.ENTER)
    room.window.find("#chat-composer-error", "nothing was sent")
    assert room.window.run("return document.querySelector('#chat-message-input').value") == "can you hear me?"
    assert Message.objects.count() == 2
    assert cookieless.complaints() == []


def test_name_form_without_cookies_says_that_cookies_are_missing(site: str, cookieless: Chromium) -> None:
    window = cookieless.open(f"{site}/accounts/name/")
    window.fill_in(name="Zoë")
    window.find("main", "Your browser keeps no cookies for this site.")
    assert all("403" in complaint for complaint in cookieless.complaints())
