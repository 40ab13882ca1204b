"""The room page when its connection is lost or refused."""

from collections.abc import Callable
from urllib.parse import quote

import pytest
from django.contrib.auth import get_user_model
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from chat.domain.rooms import find
from chat.models import Message
from chat.storage import history
from tests.browser.chromium import Chromium, tells_of_absence
from tests.browser.half_open import HalfOpenProxy
from tests.browser.room_window import RoomWindow, enter
from tests.browser.window import Window
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
# The waiting times that the page announces.
COUNTDOWNS = """
    window.countdowns = [];
    addEventListener("DOMContentLoaded", () => new MutationObserver(() => {
        const countdown = document.querySelector("#chat-status [role=status] span");
        if (countdown) countdowns.push(countdown.textContent);
    }).observe(document.querySelector("#chat-status"), { childList: true, subtree: true }));
"""
# The page connects to a room name that the server refuses.
BLANK_ROOM = """
    window.WebSocket = class extends WebSocket {
        constructor(address) { super(address.replace("room1", "%20")); }
    };
"""

# Tests control time: the clock jumps by `slept` milliseconds, and long intervals and timeouts are shortened.
TIME = """
    {
        const { now } = Date;
        Date.now = () => now() + (window.slept ?? 0);
        const { setInterval, setTimeout } = window;
        window.setInterval = (act, delay) => setInterval(act, delay === 10000 ? 50 : delay);
        window.setTimeout = (act, delay) => setTimeout(act, delay === 20000 ? 500 : delay);
    }
"""
# Timeouts of more than ten seconds take a hundredth of that.
HASTE = """
    {
        const { setTimeout } = window;
        window.setTimeout = (act, delay) => setTimeout(act, delay > 10000 ? delay / 100 : delay);
    }
"""
# Counts answered pings.
PONGS = """
    window.pongs = 0;
    window.WebSocket = class extends WebSocket {
        constructor(...address) {
            super(...address);
            this.addEventListener("message", ({ data }) => { pongs += "pong" in JSON.parse(data); });
        }
    };
"""
# Messages are answered by the error `unavailable` as long as `unavailable` is set.
UNAVAILABLE = """
    window.WebSocket = class extends WebSocket {
        send(data) {
            const { message, client_id } = JSON.parse(data);
            if (message === undefined || !window.unavailable) return super.send(data);
            const text = "The database does not answer.";
            const frame = { message: text, kind: "error", error: { code: "unavailable", message: text }, client_id };
            setTimeout(() => this.dispatchEvent(new MessageEvent("message", { data: JSON.stringify(frame) })));
        }
    };
"""
# The times when the page says that others have the connections; it doesn't while it is in front.
PAUSES = """
    window.pauses = [];
    addEventListener("DOMContentLoaded", () => new MutationObserver(() => {
        const words = document.querySelector("#chat-status [role=status]").textContent;
        if (words.startsWith("Paused: too many tabs of this site are open")) pauses.push(Date.now());
    }).observe(document.querySelector("#chat-status"), { childList: true, subtree: true }));
"""
# A proxy that lets no WebSocket through.
NO_SOCKETS = """
    window.WebSocket = class extends EventTarget {
        static CONNECTING = 0;
        static OPEN = 1;
        static CLOSED = 3;
        constructor() {
            super();
            setTimeout(() => this.dispatchEvent(Object.assign(new Event("close"), { code: 1006 })));
        }
        close() {}
    };
"""
# A subscription by the browser's own EventSource, from the room's first entry on.
EVENT_SOURCE = """
    const query = 'subscription { roomMessages(rooms: [{roomName: "room1", after: 0}]) { message } }';
    window.heard = [];
    window.source = new EventSource(`/graphql?query=${encodeURIComponent(query)}`);
    source.addEventListener("next", ({ data }) => heard.push(JSON.parse(data).data.roomMessages.message));
"""
# The socket drops everything that is sent, without an error.
DEAD = "Object.assign(sockets[0], { send() {}, close() {} })"


def test_page_says_that_it_is_offline_and_sends_once_the_server_is_back(
    transactional_db: None, browser: Chromium
) -> None:
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
        server.wait_until_it_answers()
        room.hear("meanwhile")
        room.say("after")
        room.hear("after")
        assert room.lines == ["before", "meanwhile", "after"]
        browser.tidy()
    assert all(map(tells_of_absence, browser.complaints()))


@pytest.mark.parametrize(
    "happening",
    ["dispatchEvent(new Event('online'))", "window.slept = 100000", "'nothing but that a message gets no answer'"],
)
def test_silently_dead_connection_is_replaced(browser: Chromium, site: str, happening: str) -> None:
    room = enter(browser, site, "room1", SOCKETS + TIME)
    room.window.run(DEAD)
    room.say("hello")

    room.window.run(happening)

    room.hear("hello")
    assert room.window.run("return sockets.length") == 2
    assert room.lines == ["hello"]


def test_page_goes_on_by_events_where_no_websocket_gets_through(browser: Chromium, site: str, same_site: str) -> None:
    other = enter(browser, same_site, "room1")
    other.say("before")
    other.hear("before")
    room = enter(browser, site, "room1", NO_SOCKETS)
    room.window.find(STATUS, "Connected, without WebSocket")
    room.say("one")
    room.say("two")
    other.hear("two")
    other.say("three")
    room.hear("three")
    assert room.lines == other.lines == ["before", "one", "two", "three"]


def test_eight_tabs_without_websocket_load_and_post_over_the_connections_of_one_browser(
    browser: Chromium, site: str
) -> None:
    tabs = [RoomWindow(browser.open(f"{site}/chat/room1/", NO_SOCKETS + PAUSES, "tab")) for _ in range(8)]
    for number, tab in enumerate([*tabs[-1:], *tabs]):
        tab.window.find(STATUS, "Connected, without WebSocket")
        tab.say(f"message {number}")
        tab.hear(f"message {number}")
    assert tabs[-1].lines == [f"message {number}" for number in range(9)]
    assert any(tab.window.run("return pauses.length > 0") for tab in tabs)  # not all may have come to it yet


def test_event_source_of_a_page_hears_a_graphql_subscription(browser: Chromium, site: str) -> None:
    room = enter(browser, site, "room1")
    room.say("before")
    room.hear("before")
    room.window.run(EVENT_SOURCE)
    room.window.until(lambda: room.window.run("return heard") == ["before"], "has heard the first message")
    room.say("after")
    room.window.until(lambda: room.window.run("return heard") == ["before", "after"], "has heard both messages")
    room.window.run("source.close()")


def test_half_open_connection_is_noticed_by_the_heartbeat_and_replaced(
    browser: Chromium, site: str, same_site: str, server: Server
) -> None:
    with HalfOpenProxy(server.port) as proxy:
        room = enter(browser, f"http://{proxy.host}", "room1", SOCKETS + HASTE)
        other = enter(browser, same_site, "room1")
        proxy.fall_silent()

        other.say("meanwhile")

        room.hear("meanwhile")
        assert room.window.run("return sockets.length") == 2
        room.say("hello")
        other.hear("hello")
        browser.tidy()


def test_quiet_connection_whose_pings_are_answered_is_kept(browser: Chromium, site: str) -> None:
    room = enter(browser, site, "room1", SOCKETS + HASTE + PONGS)
    room.window.until(lambda: room.window.run("return pongs > 3"), "has heard pongs")
    assert room.window.run("return sockets.length") == 1


def test_messages_refused_as_unavailable_are_sent_again_once_in_order(browser: Chromium, site: str) -> None:
    room = enter(browser, site, "room1", UNAVAILABLE)
    room.window.run("window.unavailable = true")
    for text in ("one", "two", "three"):
        room.say(text)
    room.window.find("#chat-outbox", "can’t take it at the moment")

    room.window.run("window.unavailable = false")

    room.hear("three")
    assert room.lines == ["one", "two", "three"]
    assert room.window.run("return document.querySelector('#chat-message-input').value") == ""


def test_page_reconnects_with_offset_and_id_of_the_last_entry_it_has_seen(browser: Chromium, site: str) -> None:
    addresses = "return sockets.map(({ url }) => Object.fromEntries(new URL(url).searchParams))"
    room = enter(browser, site, "room1", SOCKETS)
    room.say("hello")
    room.hear("hello")
    room.window.run("sockets[0].close()")
    room.window.until(lambda: room.window.run("return sockets.length") == 2, "connects again")
    first, second = room.window.run(addresses)
    assert first["after"] == "0"
    assert "id" not in first
    entry = history.find(find("room1"), 1)
    assert entry is not None
    assert (second["after"], second["id"]) == ("1", entry.id)

    room.window.go(f"{site}/chat/room1/")
    room.connect()
    assert room.window.run(addresses)[0] == second


@pytest.mark.parametrize(("dice", "seconds"), [("0.999", "in 4 s"), ("0.5", "in 2 s")])
def test_pages_reconnect_to_a_restarted_server_after_random_pauses(
    transactional_db: None, browser: Chromium, dice: str, seconds: str
) -> None:
    server = Server()
    with server:
        server.wait_until_it_answers()
        room = enter(browser, f"http://{server.host}", "room1", f"Math.random = () => {dice};" + COUNTDOWNS)
    room.window.until(lambda: room.window.run("return countdowns.length"), "waits")
    assert room.window.run("return countdowns[0]").strip() == seconds
    browser.tidy()
    assert all(map(tells_of_absence, browser.complaints()))


def sign_up(window: Window, name: str = "zoe") -> None:
    window.fill_in(username=name, password1=PASSWORD, password2=PASSWORD)


@pytest.mark.parametrize("guests", ["true", "false"])
def test_page_whose_login_has_ended_says_so_and_stops_reconnecting(
    start_servers: Callable[..., list[Server]], browser: Chromium, guests: str
) -> None:
    (server,) = start_servers(1, CHAT_GUESTS=guests)
    window = browser.open(f"http://{server.host}/accounts/signup/")
    sign_up(window)
    window.find(".account .person", "zoe")
    room = enter(browser, f"http://{server.host}", "room1", SOCKETS)
    room.say("hello")
    room.hear("hello")

    window.click(".account button", "Log out")

    room.window.find(STATUS, "Not connected")
    assert room.window.run("return sockets.length") == 2
    assert room.lines == []
    link = room.window.find("#chat-identity a", "Log in")
    assert link.get_attribute("href").endswith(f"/accounts/login/?next={quote('/chat/room1/')}")
    if guests == "true":
        guest = window.find(".account .person bdi").text
        room.window.find("#chat-identity", f"You are now {guest} in this browser.")
        room.window.click("#chat-identity button", f"Go on as {guest}")
        room.window.find(".account a", "Log in")
        room.connect().say("as a guest")
        room.hear("as a guest")
    else:
        room.window.find("#chat-identity", "Your session here has ended.")
        browser.tidy()
        assert all("403" in complaint for complaint in browser.complaints())  # the answer to: who am I?


def test_page_takes_over_a_login_in_another_tab_with_its_draft_and_unsent_messages(
    browser: Chromium, site: str
) -> None:
    room = enter(browser, site, "room1", UNAVAILABLE)
    window = browser.open(f"{site}/accounts/signup/")
    room.window.run("window.unavailable = true")
    room.say("on its way")
    room.window.find("#chat-outbox", "can’t take it at the moment")
    room.window.type("a draft")

    sign_up(window)

    room.window.find("#chat-identity", "You are now zoe in this browser.")
    room.window.click("#chat-identity button", "Go on as zoe")
    room.window.find(".account .person", "zoe")
    room.connect().hear("on its way")
    assert room.window.run("return document.querySelector('#chat-message-input').value") == "a draft"
    assert Message.objects.get().person_name == "zoe"


def test_page_takes_over_a_new_name_of_its_guest_from_another_tab(browser: Chromium, site: str) -> None:
    room = enter(browser, site, "room1", SOCKETS)
    window = browser.open(f"{site}/accounts/name/")
    room.window.type("a draft")

    window.fill_in(name="Zoë")

    room.window.find("#chat-identity", "You are now Zoë in this browser.")
    room.window.click("#chat-identity button", "Go on as Zoë")
    room.window.find(".account .person", "Zoë")
    room.window.type(" that is sent", Keys.ENTER)
    room.hear("a draft that is sent")
    assert Message.objects.get().person_name == "Zoë"
    assert not room.window.driver.find_element(By.ID, "chat-identity").is_displayed()
    assert room.window.run("return sockets.length") == 1


def test_page_reconnects_when_its_user_changes_the_password(
    start_servers: Callable[..., list[Server]], browser: Chromium
) -> None:
    (server,) = start_servers(1)
    window = browser.open(f"http://{server.host}/accounts/signup/")
    sign_up(window)
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


def test_page_does_not_reconnect_to_a_room_that_the_server_refuses(browser: Chromium, site: str) -> None:
    window = browser.open(f"{site}/chat/room1/", BLANK_ROOM)
    window.find(STATUS, "Not connected")
    window.find("[role=alert]", "This name cannot be the name of a room")

    window.type("hello\n")

    window.find("#chat-composer-error", "nothing was sent")
