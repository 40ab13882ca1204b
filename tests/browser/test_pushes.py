"""Notifications in a real browser, whose service worker is handed pushes as a push service would."""

import json
from typing import Any

from tests.browser.chromium import Chromium
from tests.browser.test_installable import asynchronously, ready
from tests.browser.window import Window

SHOWN = """
const registration = await navigator.serviceWorker.getRegistration("/chat/");
const shown = await registration.getNotifications();
return shown.map(({ title, body, tag, data }) => ({ title, body, tag, url: data.url }));
"""


def sign_up(browser: Chromium, site: str, name: str) -> Window:
    window = browser.open(f"{site}/accounts/signup/")
    window.fill_in(username=name, password1="correct horse 7", password2="correct horse 7")
    window.find("#room-name-input")
    return window


def allow(window: Window, site: str) -> None:
    window.driver.execute_cdp_cmd("Browser.grantPermissions", {"origin": site, "permissions": ["notifications"]})


def deliver(window: Window, site: str, **pushed: Any) -> None:
    window.driver.execute_cdp_cmd("ServiceWorker.enable", {})
    for number in range(10):  # the browser numbers registrations, and doesn't say so
        about = {"origin": site, "registrationId": str(number), "data": json.dumps(pushed)}
        window.driver.execute_cdp_cmd("ServiceWorker.deliverPushMessage", about)


def test_push_is_shown_once_for_a_room_and_goes_when_it_is_read(browser: Chromium, site: str) -> None:
    window = sign_up(browser, site, "ann")
    allow(window, site)
    window.go(f"{site}/chat/room1/")
    ready(window)
    deliver(
        window, site, title="room2", body="Ben mentioned you", tag="room2", url="/chat/room2/?at=1", count=1, sent_at=1
    )
    shown = {"title": "room2", "body": "Ben mentioned you", "tag": "room2", "url": "/chat/room2/?at=1"}
    window.until(lambda: asynchronously(window, SHOWN) == [shown], "shows a notification")
