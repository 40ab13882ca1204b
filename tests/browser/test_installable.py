"""The app in a real browser: its offline page, and what is shared with it."""

import contextlib
from typing import Any

from selenium.common.exceptions import WebDriverException

from tests.browser.chromium import Chromium
from tests.browser.room_window import enter
from tests.browser.window import Window
from tests.servers import Server

READY = """
const registration = await navigator.serviceWorker.ready;
return registration.active.state === "activated";
"""
KEPT = """
const addresses = [];
for (const name of await caches.keys()) {
  for (const request of await (await caches.open(name)).keys()) addresses.push(new URL(request.url).pathname);
}
return addresses.sort();
"""
KEPT_SHARED = "return caches.has('shared');"
SHARE = """
const form = Object.assign(document.createElement("form"), {
  method: "post", action: "/chat/share-target", enctype: "multipart/form-data",
});
for (const [name, value] of Object.entries({title: "A page", text: "worth reading", url: "https://example.org/"})) {
  form.append(Object.assign(document.createElement("input"), {type: "hidden", name, value}));
}
const files = Object.assign(document.createElement("input"), {type: "file", name: "files"});
const chosen = new DataTransfer();
chosen.items.add(new File(["content"], "notes.txt", {type: "text/plain"}));
files.files = chosen.files;
form.append(files);
document.body.append(form);
form.submit();
"""


def asynchronously(window: Window, script: str) -> Any:
    """The result of a script that awaits."""
    return window.run(f"return (async () => {{{script}}})()")


def ready(window: Window) -> None:
    """Waits until the service worker serves the window."""
    window.until(lambda: asynchronously(window, READY), "has a service worker")


def test_offline_page_is_shown_while_the_site_is_away_and_goes_by_itself(
    transactional_db: None, browser: Chromium
) -> None:
    server = Server()
    with server:
        server.wait_until_it_answers()
        room = enter(browser, f"http://{server.host}", "room1")
        window = room.window
        ready(window)
        room.say("said in the room")
        room.hear("said in the room")
        kept = asynchronously(window, KEPT)
        assert kept == ["/chat/offline.html", "/static/chat/offline.js", "/static/favicon.svg", "/static/site.css"]
    with contextlib.suppress(WebDriverException):
        window.go(f"http://{server.host}/chat/room2/")
    window.find("#offline", "what you write is kept")
    assert window.run("return document.styleSheets[0].cssRules.length")
    assert "said in the room" not in window.run("return document.body.innerText")
    with server:
        server.wait_until_it_answers()
        window.run("dispatchEvent(new Event('online'))")
        window.find("#chat-message-input")
        browser.complaints()  # of what could not be loaded
        browser.tidy()


def test_shared_text_and_files_wait_for_a_room_and_are_taken_once(browser: Chromium, site: str) -> None:
    window = enter(browser, site, "room1").window
    ready(window)
    window.run(SHARE)
    window.find("#shared-notice", "Choose a room")
    window.find(".shared-about", "notes.txt")
    window.go(f"{site}/chat/room2/")
    text = "A page\nworth reading\nhttps://example.org/"
    window.until(lambda: window.run("return document.querySelector('#chat-message-input').value") == text, "has it")
    window.find("#chat-files", "notes.txt")
    window.go(f"{site}/chat/")
    window.find("#room-name-input")
    assert not asynchronously(window, KEPT_SHARED)
