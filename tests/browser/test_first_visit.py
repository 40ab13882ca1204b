"""A browser's very first visit: with two pages at once, and without cookies."""

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.contrib.sessions.models import Session
from selenium.webdriver.common.keys import Keys

from benchmarks.slow_proxy import SlowProxy
from chat.models import Message
from tests.browser.chromium import Chromium
from tests.browser.room_window import RoomWindow, enter
from tests.browser.window import WAIT_TIMEOUT, Window
from tests.servers import Server

BLOCKED = 2  # as Chromium's preferences have it
NOTICE = "Your browser keeps no cookies for this site, so you can read here, but not say anything."


def windows_opened_by(browser: Chromium, window: Window, script: str, address: str) -> list[RoomWindow]:
    before = set(window.driver.window_handles)
    window.run(script, address)
    window.until(lambda: len(set(window.driver.window_handles) - before) == 2, "opens two windows")
    opened = []
    for handle in set(window.driver.window_handles) - before:
        browser.driver.switch_to.window(handle)
        opened.append(RoomWindow(Window(browser.driver)))
    return opened


def name_of(room: RoomWindow) -> str:
    return room.window.find(".account .person bdi").text


@contextmanager
def answered_together(server: Server, proxy: SlowProxy, count: int) -> Iterator[None]:
    """The server, behind a proxy that nobody has used yet, answers once `count` of the block's requests have come.

    Each of them has a connection of its own, as long as none is answered.
    """
    server.process.send_signal(signal.SIGSTOP)
    try:
        yield
        deadline = time.monotonic() + WAIT_TIMEOUT
        while sum(connection.passed > 0 for connection in proxy.connections) < count:
            assert time.monotonic() < deadline, f"the browser hasn't sent {count} requests"
            time.sleep(0.02)
    finally:
        server.process.send_signal(signal.SIGCONT)


def test_two_pages_opened_at_the_first_visit_agree_on_one_guest(
    browser: Chromium, server: Server, transactional_db: None
) -> None:
    before = Session.objects.count()
    with SlowProxy(server.host) as proxy:
        window = browser.open("about:blank")
        with answered_together(server, proxy, 2):
            # Of one and the same address, Chromium asks for the second page once it has the first.
            address = f"http://127.0.0.1:{proxy.port}/chat/room1/"
            script = "for (const tab of '12') window.open(`${arguments[0]}?${tab}`, '_blank')"
            rooms = windows_opened_by(browser, window, script, address)
        agree_on_one_guest(rooms, before)
        browser.tidy()  # as long as there is a way to the server


def agree_on_one_guest(rooms: list[RoomWindow], sessions_before: int) -> None:
    first, second = rooms
    first.window.until(lambda: name_of(first) == name_of(second), "agree on who they are")
    assert Session.objects.count() == sessions_before + 2  # there were two to agree on

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
