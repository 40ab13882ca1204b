"""Notifications in a real browser, whose service worker is handed pushes as a push service would."""

import json
import re
import time
from collections.abc import Callable
from typing import Any

from tests.browser.chromium import Chromium
from tests.browser.test_installable import asynchronously
from tests.browser.window import Window
from tests.servers import Server

REGISTERED = "return (await navigator.serviceWorker.ready).active.state === 'activated';"
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


def registrations(browser: Chromium, site: str) -> list[str]:
    """The numbers of the site's service workers, which grow with each visitor; the browser tells them on this page."""
    internals = browser.open("chrome://serviceworker-internals/")
    pattern = re.compile(rf"Scope: {re.escape(site)}/chat/\n.*?Registration ID: (\d+)", re.DOTALL)

    def look() -> list[str]:
        return pattern.findall(internals.run("return document.body.innerText"))

    found = internals.until(look, "lists the service worker")
    internals.go("about:blank")
    return found


def deliver(window: Window, site: str, numbers: list[str], **pushed: Any) -> None:
    window.driver.execute_cdp_cmd("ServiceWorker.enable", {})
    for number in numbers:
        about = {"origin": site, "registrationId": number, "data": json.dumps(pushed)}
        window.driver.execute_cdp_cmd("ServiceWorker.deliverPushMessage", about)


def shown(window: Window) -> list[dict[str, str]]:
    return asynchronously(window, SHOWN)


def test_push_is_shown_once_for_a_room_and_goes_when_it_is_read(browser: Chromium, site: str) -> None:
    window = sign_up(browser, site, "ann")
    allow(window, site)
    window.go(f"{site}/chat/room1/")
    window.until(lambda: asynchronously(window, REGISTERED), "has a service worker")
    now = int(time.time() * 1000)
    first = {"title": "room2", "body": "Ben mentioned you", "tag": "room2", "url": "/chat/room2/?at=1"}
    numbers = registrations(browser, site)
    deliver(window, site, numbers, **first, count=1, sent_at=now)
    window.until(lambda: shown(window) == [first], "shows a notification")
    second = {**first, "body": "2 new mentions, the last one by Ben", "url": "/chat/room2/?at=2"}
    deliver(window, site, numbers, **second, count=2, sent_at=now + 1)
    window.until(lambda: shown(window) == [second], "shows the second in the place of the first")
    window.go(f"{site}/chat/room2/")  # where nothing is unread
    window.until(lambda: shown(window) == [], "has closed it")


def test_page_offers_notifications_and_keeps_what_is_chosen(
    start_servers: Callable[..., list[Server]], browser: Chromium
) -> None:
    (server,) = start_servers(1, CHAT_PUSH="true")
    site = f"http://{server.host}"
    window = sign_up(browser, site, "ann")
    window.go(f"{site}/accounts/notifications/")
    window.find("push-switch [data-turn=on]", "Notify me on this device")
    assert window.run("return Notification.permission") != "granted", "nothing is asked without a click"
    window.click("#id_detail label", "What was written")
    window.click("main button", "Save")
    window.until(lambda: window.run("return document.querySelector('#id_detail_1')?.checked"), "keeps the choice")
