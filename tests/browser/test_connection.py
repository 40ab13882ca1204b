"""What the page of a room does when its connection is lost, or refused."""

from collections.abc import Callable
from urllib.parse import quote

import pytest
from django.contrib.auth import get_user_model

from tests.browser.chromium import Chromium
from tests.browser.room_window import enter
from tests.servers import Server

PASSWORD = "a long and unlikely one"
STATUS = "#chat-status [role=status]"
# The page's sockets, where a test can reach them.
SOCKETS = """
    window.sockets = [];
    window.WebSocket = class extends WebSocket {
        constructor(...address) { super(...address); sockets.push(this); }
    };
"""
# How long the page says that it waits, each time.
COUNTDOWNS = """
    window.countdowns = [];
    addEventListener("DOMContentLoaded", () => new MutationObserver(() => {
        const countdown = document.querySelector("#chat-status [role=status] span");
        if (countdown) countdowns.push(countdown.textContent);
    }).observe(document.querySelector("#chat-status"), { childList: true, subtree: true }));
"""
# The page takes for a room what the server does not.
BLANK_ROOM = """
    window.WebSocket = class extends WebSocket {
        constructor(address) { super(address.replace("room1", "%20")); }
    };
"""

# Time goes by as a test wants: `slept` milliseconds while the machine sleeps, and what takes long takes less.
TIME = """
    {
        const { now } = Date;
        Date.now = () => now() + (window.slept ?? 0);
        const { setInterval, setTimeout } = window;
        window.setInterval = (act, delay) => setInterval(act, delay === 10000 ? 50 : delay);
        window.setTimeout = (act, delay) => setTimeout(act, delay === 20000 ? 500 : delay);
    }
"""
# Nothing that is sent arrives, and nobody says so.
DEAD = "Object.assign(sockets[0], { send() {}, close() {} })"


def test_it_says_that_it_is_offline_and_sends_once_it_is_back(transactional_db: None, browser: Chromium) -> None:
    server = Server()
    with server:
        server.wait_until_it_answers()
        room = enter(browser, f"http://{server.host}", "room1")
        room.say("before")
        room.hear("before")
    room.window.find(STATUS, "Offline – trying again")
    room.window.find("#chat-status button", "Try now")

    room.say("meanwhile")

    room.window.find("#chat-outbox", "Waiting to be sent")
    with server:
        room.hear("meanwhile")
        room.say("after")
        room.hear("after")
        assert room.lines == ["before", "meanwhile", "after"]
        browser.tidy()
    assert all("WebSocket" in complaint for complaint in browser.complaints())


@pytest.mark.parametrize(
    "happening",
    ["dispatchEvent(new Event('online'))", "window.slept = 100000", "'nothing but that a message gets no answer'"],
)
def test_a_connection_that_died_in_silence_is_replaced(browser: Chromium, site: str, happening: str) -> None:
    room = enter(browser, site, "room1", SOCKETS + TIME)
    room.window.run(DEAD)
    room.say("hello")

    room.window.run(happening)

    room.hear("hello")
    assert room.window.run("return sockets.length") == 2
    assert room.lines == ["hello"]


@pytest.mark.parametrize(("dice", "seconds"), [("0.999", "in 4 s"), ("0.5", "in 2 s")])
def test_pages_come_back_to_a_restarted_server_at_times_of_their_own(
    transactional_db: None, browser: Chromium, dice: str, seconds: str
) -> None:
    server = Server()
    with server:
        server.wait_until_it_answers()
        room = enter(browser, f"http://{server.host}", "room1", f"Math.random = () => {dice};" + COUNTDOWNS)
    room.window.until(lambda: room.window.run("return countdowns.length"), "waits")
    assert room.window.run("return countdowns[0]").strip() == seconds
    browser.tidy()
    assert all("WebSocket" in complaint for complaint in browser.complaints())


@pytest.mark.parametrize("guests", ["true", "false"])
def test_a_page_whose_login_has_ended_says_so_and_does_not_try_for_ever(
    start_servers: Callable[..., list[Server]], browser: Chromium, guests: str
) -> None:
    (server,) = start_servers(1, CHAT_GUESTS=guests)
    window = browser.open(f"http://{server.host}/accounts/signup/")
    window.fill_in(username="zoe", password1=PASSWORD, password2=PASSWORD)
    window.find(".account .person", "zoe")
    room = enter(browser, f"http://{server.host}", "room1", SOCKETS)
    room.window.until(lambda: room.window.run("return sockets.length") == 1, "is connected")

    window.find(".account button", "Log out").click()

    room.window.find(STATUS, "Not connected")
    assert room.window.run("return sockets.length") == 2
    link = room.window.find("[role=alert] a", "Log in")
    assert link.get_attribute("href").endswith(f"/accounts/login/?next={quote('/chat/room1/')}")
    if guests == "true":
        room.window.find("[role=alert] a", "go on as a guest").click()
        room.connect().say("hello")
        room.hear("hello")
        room.window.find(".account a", "Log in")


def test_a_page_stays_connected_when_its_user_takes_another_password(
    start_servers: Callable[..., list[Server]], browser: Chromium
) -> None:
    (server,) = start_servers(1)
    window = browser.open(f"http://{server.host}/accounts/signup/")
    window.fill_in(username="zoe", password1=PASSWORD, password2=PASSWORD)
    window.find(".account .person", "zoe")
    get_user_model().objects.update(is_staff=True)
    window.go(f"http://{server.host}/admin/password_change/")
    room = enter(browser, f"http://{server.host}", "room1", SOCKETS)

    window.fill_in(old_password=PASSWORD, new_password1="quite another one", new_password2="quite another one")

    room.window.until(lambda: room.window.run("return sockets.length") == 2, "connects again")
    room.connect().say("it's still me")
    room.hear("it's still me")
    room.window.find(".account .person", "zoe")
    browser.tidy()
    assert all("favicon.ico" in complaint for complaint in browser.complaints())  # of the admin, which has none


def test_a_room_that_the_server_refuses_is_not_tried_again(browser: Chromium, site: str) -> None:
    window = browser.open(f"{site}/chat/room1/", BLANK_ROOM)
    window.find(STATUS, "Not connected")
    window.find("[role=alert]", "This name cannot be the name of a room")

    window.type("hello\n")

    window.find("#chat-composer-error", "nothing was sent")
