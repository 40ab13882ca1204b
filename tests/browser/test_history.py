"""The room page: history, recovery, and messages in transit."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from selenium.webdriver.common.keys import Keys

from chat.domain.people import Person
from chat.domain.rooms import find
from chat.models import Message
from chat.storage import log, pruning
from tests.browser.chromium import Chromium, tells_of_absence
from tests.browser.room_window import RoomWindow, enter
from tests.browser.test_connection import SOCKETS, STATUS
from tests.servers import Server

OLDER = "#chat-history button"
BEGINNING = "#chat-history [role=status]"
PENDING = "#chat-outbox .pending"
AWAY = "Not all that was said while you were away is shown"

SCROLL_UP = "document.querySelector('#chat-scroller').scrollTop = arguments[0]"
AT_END = """
    const { scrollHeight, scrollTop, clientHeight } = document.querySelector("#chat-scroller");
    return scrollHeight - scrollTop - clientHeight < 2;
"""
# The first message that the reader sees, and how far it is from the top.
IN_VIEW = """
    const top = document.querySelector("#chat-scroller").getBoundingClientRect().top;
    const lines = Array.from(document.querySelectorAll("#chat-log .message"));
    const line = lines.find((each) => each.getBoundingClientRect().top >= top);
    return [line.querySelector(".text").textContent, line.getBoundingClientRect().top];
"""
# Notes requests for history, and drops them as long as `deaf` is set.
QUESTIONS = """
    window.questions = [];
    window.WebSocket = class extends WebSocket {
        send(data) {
            const { before } = JSON.parse(data);
            if (before !== undefined) {
                questions.push(before);
                if (window.deaf) return;
            }
            super.send(data);
        }
    };
"""
# Questions for the history are kept in `asked`, and a test answers them.
ANSWERED_BY_TEST = """
    window.asked = [];
    window.answer = (frame) => {
        const data = JSON.stringify({ ...frame, request: asked.at(-1).request });
        asked.at(-1).socket.dispatchEvent(new MessageEvent("message", { data }));
    };
    window.WebSocket = class extends WebSocket {
        send(data) {
            const { before, request } = JSON.parse(data);
            if (before === undefined) super.send(data);
            else asked.push({ before, request, socket: this });
        }
    };
"""
# Messages go out, and never arrive.
LOSSY = """
    window.WebSocket = class extends WebSocket {
        send(data) { if (!window.lossy) super.send(data); }
    };
"""

# Counts sent messages.
SENT = """
    window.sent = 0;
    window.WebSocket = class extends WebSocket {
        send(data) { sent += "message" in JSON.parse(data); super.send(data); }
    };
"""

# Messages come in, and are not heard.
DEAF = """
    window.WebSocket = class extends WebSocket {
        constructor(...address) {
            super(...address);
            this.addEventListener("message", (event) => { if (window.deaf) event.stopImmediatePropagation(); });
        }
    };
"""


def said(first: int, last: int, room: str = "room1") -> list[str]:
    """Somebody says `first` … `last` in `room`, wherever: no server hears of it but from the database."""
    numbers = [str(number) for number in range(first, last + 1)]
    for number in numbers:
        log.append([log.Draft(room=find(room), text=number, person=Person(id="user-7", name="Zoë"))])
    return numbers


def stored() -> list[str]:
    return list(Message.objects.order_by("offset").values_list("text", flat=True))


def pending(room: RoomWindow) -> list[str]:
    texts = "return Array.from(document.querySelectorAll('#chat-outbox .text'), (text) => text.textContent)"
    return room.window.run(texts)


def scroll_up(room: RoomWindow) -> None:
    """To where there is something to read above, but not much."""
    room.window.run(SCROLL_UP, 200)


def wait_for(room: RoomWindow, lines: list[str]) -> None:
    room.window.until(lambda: room.lines == lines, f"shows {lines[0]} to {lines[-1]}")


@contextmanager
def killed(server: Server) -> Iterator[None]:
    """The server ends without a word, and is started again on its port after the block."""
    server.process.kill()
    server.process.wait()
    yield
    server.__enter__()
    server.wait_until_it_answers()


@pytest.fixture
def frail(
    start_servers: Callable[..., list[Server]], chromium: Chromium
) -> Iterator[tuple[Server, Callable[..., RoomWindow]]]:
    """A server of one's own to kill, and what opens room1 on it: browsers complain about lost servers."""
    (server,) = start_servers(1)
    yield server, lambda before="": enter(chromium, f"http://{server.host}", "room1", before)
    chromium.tidy()
    assert all(map(tells_of_absence, chromium.complaints()))


# History


def test_page_shows_earlier_messages_before_it_is_connected(browser: Chromium, site: str) -> None:
    lines = said(1, 3)
    room = RoomWindow(browser.open(f"{site}/chat/room1/"))
    assert room.lines == lines

    room.connect().say("hello")

    wait_for(room, [*lines, "hello"])
    room.window.find(BEGINNING, "Beginning of the room")


def test_page_shows_the_last_50_messages_of_a_long_history(browser: Chromium, site: str) -> None:
    lines = said(1, 120)
    room = enter(browser, site, "room1")
    assert room.lines == lines[-50:]
    assert room.window.run(AT_END)
    assert room.window.find(OLDER).accessible_name == "Load older messages"


def test_scrolling_up_loads_older_messages_without_moving_the_visible_ones(browser: Chromium, site: str) -> None:
    lines = said(1, 120)
    room = enter(browser, site, "room1")

    for first in [20, 0]:
        scroll_up(room)
        seen = room.window.run(IN_VIEW)
        wait_for(room, lines[first:])
        text, top = room.window.run(IN_VIEW)
        assert text == seen[0]
        assert top == pytest.approx(seen[1], abs=1)

    room.window.find(BEGINNING)
    room.window.run(SCROLL_UP, 0)
    room.window.find(BEGINNING, "Beginning of the room")
    assert room.window.run("return document.querySelectorAll('.day').length") == 1
    assert room.window.run("return document.querySelectorAll('.message:not(.continued)').length") == 1


def test_older_messages_are_requested_once_and_again_after_a_lost_connection(browser: Chromium, site: str) -> None:
    lines = said(1, 120)
    room = enter(browser, site, "room1", SOCKETS + QUESTIONS)
    room.window.run("window.deaf = true")
    for top in [300, 200, 100]:
        room.window.run(SCROLL_UP, top)
        room.window.until(lambda: room.window.run("return questions") == [71], "asks")
    room.window.find(OLDER, "Loading…")

    room.window.run("window.deaf = false; sockets[0].close()")

    wait_for(room, lines[20:])
    assert room.window.run("return questions") == [71, 71]


def test_failed_request_for_older_messages_shows_the_error_and_a_retry_button(browser: Chromium, site: str) -> None:
    lines = said(1, 60)
    room = enter(browser, site, "room1", ANSWERED_BY_TEST)
    scroll_up(room)
    room.window.until(lambda: room.window.run("return asked.length") == 1, "asks")

    text = "The database does not answer."
    room.window.run("answer(arguments[0])", {"message": text, "kind": "error", "error": {"code": "unavailable"}})

    room.window.find(OLDER, "Try again")
    room.window.find("#chat-history [role=status]", text)
    assert room.window.run("return document.querySelector('#chat-composer-error').textContent") == ""
    room.window.run("document.querySelector('#chat-history button').click()")
    room.window.until(lambda: room.window.run("return asked.length") == 2, "asks again")
    older = [{"message": line, "kind": "message", "offset": number} for number, line in enumerate(lines[:10], 1)]
    room.window.run("answer(arguments[0])", {"kind": "history", "messages": older, "more": False})
    wait_for(room, lines)
    room.window.find(BEGINNING, "Beginning of the room")


def test_deletion_that_arrives_before_an_older_page_applies_to_it(browser: Chromium, site: str) -> None:
    lines = said(1, 60)
    room = enter(browser, site, "room1", ANSWERED_BY_TEST)
    scroll_up(room)
    room.window.until(lambda: room.window.run("return asked.length") == 1, "asks")

    deletion = {"message": "A message was deleted.", "kind": "deletion", "target": 7, "offset": 61, "id": "61"}
    room.window.run("answer(arguments[0])", deletion)
    older = [{"message": line, "kind": "message", "offset": number} for number, line in enumerate(lines[:10], 1)]
    room.window.run("answer(arguments[0])", {"kind": "history", "messages": older, "more": False})

    wait_for(room, [line for line in lines if line != lines[6]])
    assert room.window.run("return document.querySelectorAll('#chat-log .gone').length") == 1


def test_older_messages_are_loaded_by_keyboard(browser: Chromium, site: str) -> None:
    lines = said(1, 120)
    room = enter(browser, site, "room1")

    room.step_into_log()
    room.window.press(Keys.SHIFT, Keys.TAB)  # past the messages, to the button, so it comes into view
    wait_for(room, lines[20:])
    room.window.type(Keys.ENTER)
    wait_for(room, lines)

    assert room.window.focus == "chat-scroller"


def test_reader_of_old_messages_is_told_of_new_ones_and_not_moved(browser: Chromium, site: str) -> None:
    lines = said(1, 70)
    room = enter(browser, site, "room1")
    scroll_up(room)
    wait_for(room, lines)
    seen = room.window.run(IN_VIEW)

    lines += said(71, 71)

    room.window.click("#chat-newest", "New messages")
    assert seen[0] != lines[-1]
    room.window.until(lambda: room.window.run(AT_END), "is at the end")
    assert room.lines == lines


def test_excess_messages_are_removed_at_the_end_only_and_can_be_loaded_again(browser: Chromium, site: str) -> None:
    lines = said(1, 2100)
    room = enter(browser, site, "room1")
    button = room.window.find(OLDER)
    while len(room.lines) < len(lines):
        count = len(room.lines)
        room.window.run("arguments[0].click()", button)
        room.window.until(lambda count=count: len(room.lines) > count, "loads")
    room.window.run(SCROLL_UP, 5000)
    lines += said(2101, 2101)
    room.window.find("#chat-newest", "New messages")
    assert room.lines == lines

    room.say("the end")
    lines += ["the end"]
    room.window.until(lambda: room.lines[-1] == "the end", "hears the end")

    assert room.lines == lines[-1999:]  # beside them there is the day
    room.window.run(SCROLL_UP, 0)
    wait_for(room, lines[-2049:])


# Recovery


def test_messages_missed_while_offline_appear_once_in_order(
    frail: tuple[Server, Callable[..., RoomWindow]],
) -> None:
    server, enter_room = frail
    lines = said(1, 2)
    room = enter_room()

    with killed(server):
        room.window.find(STATUS, "Offline")
        lines += said(3, 130)

    room.window.until(lambda: len(room.lines) >= len(lines), "catches up")
    room.say("I'm back")
    wait_for(room, [*lines, "I'm back"])


def test_messages_between_page_load_and_connection_are_not_missed(browser: Chromium, site: str) -> None:
    held = "window.WebSocket = class extends WebSocket { constructor(...given) { super(...held(given)); } };"
    nowhere = "window.held = () => [`ws://${location.host}/nowhere/`];"
    room = RoomWindow(browser.open(f"{site}/chat/room1/", nowhere + held))
    room.window.find(STATUS, "Offline")
    lines = said(1, 3)

    room.window.run("window.held = (given) => given")

    wait_for(room, lines)
    assert all("/nowhere/" in complaint for complaint in browser.complaints())


def test_page_that_missed_too_much_starts_over_and_can_load_the_rest(
    frail: tuple[Server, Callable[..., RoomWindow]],
) -> None:
    server, enter_room = frail
    lines = said(1, 10)
    room = enter_room()

    with killed(server):
        room.window.find(STATUS, "Offline")
        lines += said(11, 600)

    room.window.find("#chat-log .notice-line", AWAY)
    wait_for(room, lines[-50:])
    assert room.window.run(AT_END)
    room.say("I'm back")
    wait_for(room, [*lines[-50:], "I'm back"])

    scroll_up(room)

    wait_for(room, [*lines[-100:], "I'm back"])


def test_page_that_missed_pruned_messages_starts_over(frail: tuple[Server, Callable[..., RoomWindow]]) -> None:
    server, enter_room = frail
    said(1, 10)
    room = enter_room()

    with killed(server):
        room.window.find(STATUS, "Offline")
        room.say("meanwhile")
        lines = said(11, 30)
        pruning.prune(keep=10)

    room.window.find("#chat-log .notice-line", AWAY)
    wait_for(room, [*lines[-10:], "meanwhile"])
    room.window.find(BEGINNING, "Beginning of the room")


def test_page_of_a_pruned_room_is_empty_without_a_notice(browser: Chromium, site: str) -> None:
    said(1, 10)
    pruning.prune(keep=0)
    room = enter(browser, site, "room1")
    room.say("hello")
    room.hear("hello")
    assert room.lines == ["hello"]
    assert room.window.run("return document.querySelector('.notice-line')") is None


# Messages in transit


def test_messages_typed_while_the_server_is_killed_are_sent_once_in_order(
    frail: tuple[Server, Callable[..., RoomWindow]],
) -> None:
    server, enter_room = frail
    room = enter_room()
    room.say("before")
    room.hear("before")

    room.say("on the edge")
    with killed(server):
        room.say("meanwhile")
        room.say("and so on")
        room.window.find(PENDING, "Waiting to be sent")

    wait_for(room, ["before", "on the edge", "meanwhile", "and so on"])
    assert stored() == room.lines
    assert pending(room) == []


def test_messages_lost_in_transit_are_sent_again_in_order(browser: Chromium, site: str) -> None:
    room = enter(browser, site, "room1", SOCKETS + LOSSY)
    room.window.run("window.lossy = true")
    room.say("first")
    room.say("second")
    room.window.find(PENDING, "Sending…")
    assert room.lines == []

    room.window.run("window.lossy = false; sockets[0].close()")

    wait_for(room, ["first", "second"])
    assert stored() == room.lines


def test_message_stored_without_its_echo_is_not_stored_twice(browser: Chromium, site: str, same_site: str) -> None:
    other, room = enter(browser, same_site, "room1"), enter(browser, site, "room1", DEAF + SOCKETS)
    room.window.run("window.deaf = true")
    room.say("hello")
    other.hear("hello")
    room.window.find(PENDING, "Sending…")

    room.window.run("window.deaf = false; sockets[0].close()")
    room.say("and on")

    wait_for(other, ["hello", "and on"])
    wait_for(room, ["hello", "and on"])
    assert pending(room) == []


def test_messages_in_transit_survive_a_reload(browser: Chromium, site: str) -> None:
    room = enter(browser, site, "room1", LOSSY)
    room.window.run("window.lossy = true")
    room.say("first")
    room.say("second")
    room.window.find(PENDING, "Sending…")

    room.window.driver.refresh()

    wait_for(room, ["first", "second"])
    assert stored() == room.lines


def test_messages_past_the_rate_limit_wait_and_are_sent_in_order(
    start_servers: Callable[..., list[Server]], browser: Chromium
) -> None:
    (server,) = start_servers(1, CHAT_LIMITS="on", CHAT_RATE_PERSON="2/2s")
    room = enter(browser, f"http://{server.host}", "room1", SENT)
    texts = [f"number {number}" for number in range(6)]
    for text in texts:
        room.say(text)
    wait_for(room, texts)
    assert stored() == texts
    assert pending(room) == []
    assert room.window.run("return sent") < 3 * len(texts)


def test_refused_message_returns_to_the_composer_and_later_ones_are_sent(browser: Chromium, site: str) -> None:
    room = enter(browser, site, "room1", SOCKETS + LOSSY)
    room.window.run("window.lossy = true")
    room.window.run("document.querySelector('#chat-message-input').value = 'a\\u0000b'")
    room.window.type(Keys.ENTER)
    room.say("fine")
    room.window.type("half a ")

    room.window.run("window.lossy = false; sockets[0].close()")

    room.window.find("#chat-composer-error", "characters")
    wait_for(room, ["fine"])
    assert room.window.run("return document.querySelector('#chat-message-input').value === 'a\\u0000b\\nhalf a '")
