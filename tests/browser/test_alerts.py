"""Being told of what is said while one isn't looking: title, icon, sound and notifications."""

import pytest

from tests.browser.chromium import Chromium
from tests.browser.room_window import RoomWindow, enter

# A page in the background, which records what it would let the reader see and hear.
AWAY = """
    Object.defineProperty(document, 'visibilityState', { get: () => window.seen ? 'visible' : 'hidden' });
    document.hasFocus = () => Boolean(window.seen);
    window.told = [];
    window.played = 0;
    window.Notification = class {
        static permission = "default";
        static async requestPermission() {
            return (Notification.permission = window.refuses ? "denied" : "granted");
        }
        constructor(title, { body }) { told.push([title, body]); }
    };
    window.AudioContext = class {
        state = "running"; currentTime = 0; destination = null;
        createGain() { return { gain: {}, connect() {} }; }
        createOscillator() { played++; return { frequency: {}, connect() {}, start() {}, stop() {} }; }
    };
"""
ICON = "return document.querySelector('link[rel=icon]').href"
NAME = "return document.querySelector('.account .person bdi').textContent"
SWITCHES = "return [...document.querySelectorAll('room-alerts button')].map((one) => one.ariaChecked)"


@pytest.fixture
def away(browser: Chromium, site: str) -> RoomWindow:
    return enter(browser, site, "room1", before=AWAY)


@pytest.fixture
def other(browser: Chromium, same_site: str, away: RoomWindow) -> RoomWindow:
    return enter(browser, same_site, "room1")


def switch(room: RoomWindow, label: str) -> None:
    room.window.click("room-alerts button", label)


def test_title_and_icon_count_what_is_unread_until_it_is_seen(away: RoomWindow, other: RoomWindow) -> None:
    title, icon = away.window.driver.title, away.window.run(ICON)
    for number in range(1, 4):
        other.say(f"message {number}")
        away.hear(f"message {number}")
        assert away.window.driver.title == f"({number}) {title}"
    assert away.window.run(ICON) != icon
    away.window.run("window.seen = true; document.dispatchEvent(new Event('visibilitychange'))")
    away.window.until(lambda: away.window.driver.title == title, "counts nothing more")
    assert away.window.run(ICON) == icon


def test_sound_is_heard_until_it_is_switched_off(away: RoomWindow, other: RoomWindow) -> None:
    assert away.window.run(SWITCHES) == ["true", "false"]
    other.say("one")
    away.hear("one")
    assert away.window.run("return played") == 2
    switch(away, "Sound")
    other.say("two")
    away.hear("two")
    assert away.window.run("return played") == 2
    away.window.driver.refresh()
    assert away.connect().window.run(SWITCHES) == ["false", "false"]


def test_notifications_are_asked_for_by_a_press_and_tell_what_calls_the_reader(
    away: RoomWindow, other: RoomWindow
) -> None:
    away.say("I am here")
    other.hear("I am here")
    assert away.window.run("return Notification.permission") == "default"
    switch(away, "Notifications")
    away.window.until(lambda: away.window.run(SWITCHES) == ["true", "true"], "lets the site notify")
    name = away.window.run(NAME)
    other.say("nobody in particular")
    other.say(f'@"{name}" look')
    away.hear(f'@"{name}" look')
    (notification,) = away.window.run("return told")
    assert notification == ["room1", f'{other.window.run(NAME)}: @"{name}" look']


def test_notifications_that_the_browser_refuses_are_explained(away: RoomWindow) -> None:
    away.window.run("window.refuses = true")
    switch(away, "Notifications")
    away.window.find("room-alerts [role=status]", "doesn’t let this site notify you")
    assert away.window.run(SWITCHES) == ["true", "false"]


def test_message_that_comes_while_one_looks_tells_nothing(away: RoomWindow, other: RoomWindow) -> None:
    away.window.run("window.seen = true")
    other.say("hello")
    away.hear("hello")
    assert away.window.run("return [played, told.length]") == [0, 0]
