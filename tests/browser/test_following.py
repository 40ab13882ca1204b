"""The room's page stays at the end of the conversation until its reader scrolls away, and leads back."""

from collections.abc import Callable

import pytest
from selenium.webdriver import ActionChains
from selenium.webdriver.common.actions.wheel_input import ScrollOrigin
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from tests.browser.chromium import Chromium
from tests.browser.room_window import RoomWindow, enter
from tests.browser.test_connection import SOCKETS
from tests.browser.test_history import AT_END, said

NEWEST = "#chat-newest"
# `hear(count, gap, text)` lets the page hear so many messages, so many milliseconds apart; then two frames go by.
HEAR = (
    SOCKETS
    + """
    window.nextFrames = async (count) => {
        for (let nth = 0; nth < count; nth += 1) await new Promise(requestAnimationFrame);
    };
    window.hear = async (count, gap, text = "new") => {
        for (let nth = 0; nth < count; nth += 1) {
            const data = JSON.stringify({ message: `${text} ${nth}`, user: "Zoë" });
            sockets.at(-1).dispatchEvent(new MessageEvent("message", { data }));
            await new Promise((resolve) => setTimeout(resolve, gap));
        }
        await nextFrames(2);
    };
"""
)
HEAR_SOME = "return hear(...arguments)"
FRAMES = "return nextFrames(2)"
TOP = "return Math.round(document.querySelector('#chat-scroller').scrollTop)"
LONG = "\n".join(str(number) for number in range(200))


@pytest.fixture
def room(browser: Chromium, site: str) -> RoomWindow:
    """A room with more to read than fits the window, at its end."""
    said(1, 40)
    room = enter(browser, site, "room1", HEAR)
    assert is_at_end(room)
    return room


def is_at_end(room: RoomWindow) -> bool:
    return room.window.run(AT_END)


def offers_the_end(room: RoomWindow) -> bool:
    return room.window.driver.find_element(By.CSS_SELECTOR, NEWEST).is_displayed()


def wheel(room: RoomWindow, distance: int) -> None:
    scroller = room.window.find("#chat-scroller")
    ActionChains(room.window.driver).scroll_from_origin(ScrollOrigin.from_element(scroller), 0, distance).perform()


def touch(room: RoomWindow, distance: int) -> None:
    """A finger draws the conversation, which goes the other way than what is scrolled."""

    def dispatch(kind: str, *points: dict[str, int]) -> None:
        event = {"type": kind, "touchPoints": points}
        room.window.driver.execute_cdp_cmd("Input.dispatchTouchEvent", event)

    room.window.driver.execute_cdp_cmd("Emulation.setTouchEmulationEnabled", {"enabled": True})
    x, y = 600, 250 if distance < 0 else 600
    dispatch("touchStart", {"x": x, "y": y})
    for step in range(1, 11):
        dispatch("touchMove", {"x": x, "y": y - step * distance // 10})
    dispatch("touchEnd")


def drag_the_scroll_bar(room: RoomWindow, distance: int) -> None:
    scroller = room.window.find("#chat-scroller")
    x, y = int(scroller.size["width"] / 2) - 7, int(scroller.size["height"] / 2) - 40
    actions = ActionChains(room.window.driver).move_to_element_with_offset(scroller, x, y).click_and_hold()
    actions.move_by_offset(0, distance).release().perform()


def press(*keys: str) -> Callable[[RoomWindow, int], None]:
    def act(room: RoomWindow, _: int) -> None:
        room.window.run("document.querySelector('#chat-scroller').focus()")
        room.window.type(*keys)

    return act


def press_in_composer(room: RoomWindow, _: int) -> None:
    room.window.type(Keys.PAGE_UP)


WAYS_UP = {
    "wheel": wheel,
    "touch": touch,
    "scroll bar": drag_the_scroll_bar,
    "arrow": press(Keys.ARROW_UP, Keys.ARROW_UP),
    "page up": press(Keys.PAGE_UP),
    "home": press(Keys.HOME),
    "page up in the composer": press_in_composer,
}


@pytest.mark.parametrize(("count", "gap"), [(1, 0), (2, 0), (2, 5), (2, 17), (5, 1), (20, 5), (3, 40)])
def test_page_stays_at_the_end_when_messages_come_in_bursts(room: RoomWindow, count: int, gap: int) -> None:
    for _ in range(12):
        room.window.run(HEAR_SOME, count, gap)
        assert is_at_end(room)
        assert not offers_the_end(room)


def test_page_stays_at_the_end_when_it_reconnects_to_missed_messages(room: RoomWindow) -> None:
    for trial in range(4):
        room.window.run("sockets.at(-1).close()")
        missed = said(100 + 5 * trial, 104 + 5 * trial)
        room.connect().hear(missed[-1])
        room.window.run(FRAMES)
        assert is_at_end(room)
        assert not offers_the_end(room)


@pytest.mark.parametrize(
    "change",
    [
        "return hear(1, 0, 'a long one\\n'.repeat(300))",
        "return hear(3, 5, 'wide '.repeat(200))",
        "document.querySelector('#chat-outbox').append(document.querySelector('.message').cloneNode(true))",
        "document.querySelector('.message').remove()",
        "document.querySelector('.message:last-child').remove()",
        "document.querySelector('#chat-log').prepend(document.querySelector('.message').cloneNode(true))",
        "document.documentElement.style.setProperty('--visible-height', '400px')",
        "document.body.style.fontSize = '30px'",
        "document.body.style.fontSize = '8px'",
    ],
)
def test_page_stays_at_the_end_when_sizes_change(room: RoomWindow, change: str) -> None:
    room.window.run(change)
    room.window.run(FRAMES)
    assert is_at_end(room)
    room.window.run(HEAR_SOME, 2, 5)
    assert is_at_end(room)
    assert not offers_the_end(room)


def test_page_stays_at_the_end_when_the_composer_grows_and_shrinks(room: RoomWindow) -> None:
    for _ in range(6):
        room.window.press(Keys.SHIFT, Keys.ENTER)
        room.window.type("line")
        room.window.run(FRAMES)
        assert is_at_end(room)
    room.window.type(Keys.ENTER)
    room.window.find("#chat-log .own")
    room.window.run(FRAMES)
    assert is_at_end(room)


@pytest.mark.parametrize(("width", "height"), [(360, 640), (1200, 300), (700, 900), (1600, 1200)])
def test_page_stays_at_the_end_when_the_window_changes_its_size(room: RoomWindow, width: int, height: int) -> None:
    size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
    room.window.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    room.window.run(FRAMES)
    assert is_at_end(room)
    room.window.run(HEAR_SOME, 2, 5)
    assert is_at_end(room)


@pytest.mark.parametrize("way", WAYS_UP)
def test_page_stays_where_the_reader_has_scrolled_to(room: RoomWindow, way: str) -> None:
    WAYS_UP[way](room, -300)
    room.window.until(lambda: not is_at_end(room), "has scrolled up")
    rest(room)
    top = room.window.run(TOP)

    room.window.run(HEAR_SOME, 2, 5)

    assert room.window.run(TOP) == top
    room.window.click(NEWEST, "New messages")
    room.window.run(FRAMES)
    assert is_at_end(room)
    room.window.run(HEAR_SOME, 2, 5)
    assert is_at_end(room)


@pytest.mark.parametrize("way", ["wheel", "touch"])
def test_reader_can_scroll_up_while_messages_pour_in(room: RoomWindow, way: str) -> None:
    room.window.run("window.pouring = hear(400, 5)")
    for _ in range(4):
        WAYS_UP[way](room, -100)
    room.window.run("return pouring")
    room.window.find(NEWEST, "New messages")
    assert not is_at_end(room)


@pytest.mark.parametrize("way", ["wheel", "touch", "page down in the composer"])
def test_page_follows_again_once_the_reader_is_back_at_the_end(room: RoomWindow, way: str) -> None:
    wheel(room, -300)
    room.window.until(lambda: not is_at_end(room), "has scrolled up")
    rest(room)
    room.window.run(HEAR_SOME, 1, 0)
    room.window.find(NEWEST)

    if way == "page down in the composer":
        room.window.type(Keys.PAGE_DOWN)
    else:
        for _ in range(2):
            WAYS_UP[way](room, 400)

    room.window.until(lambda: is_at_end(room) and not offers_the_end(room), "is at the end")
    rest(room)
    room.window.run(HEAR_SOME, 2, 5)
    assert is_at_end(room)


def test_scrolling_down_at_the_end_does_not_end_following(room: RoomWindow) -> None:
    room.window.run("window.pouring = hear(60, 5)")
    for _ in range(3):
        wheel(room, 100)
    room.window.run("return pouring")
    assert is_at_end(room)
    assert not offers_the_end(room)


def test_unfolded_text_stays_in_place_and_new_messages_are_announced(room: RoomWindow) -> None:
    room.window.run(HEAR_SOME, 1, 0, LONG)
    top = room.window.run(TOP)
    room.window.click(".fold", "Show more")
    rest(room)
    assert room.window.run(TOP) == top

    room.window.run(HEAR_SOME, 2, 5)

    assert room.window.run(TOP) == top
    room.window.find(NEWEST, "New messages")


def test_scroll_position_stays_when_a_message_above_disappears(room: RoomWindow) -> None:
    wheel(room, -300)
    room.window.until(lambda: not is_at_end(room), "has scrolled up")
    rest(room)
    place = "return arguments[0].getBoundingClientRect().top"
    scroller = room.window.find("#chat-scroller")
    middle = room.window.run(
        "const { left, top, width, height } = arguments[0].getBoundingClientRect();"
        "return document.elementsFromPoint(left + width / 2, top + height / 2).find((each) => each.closest('.message'))"
        "  ?? [...document.querySelectorAll('.message')].find((each) => each.getBoundingClientRect().top > top + 100)",
        scroller,
    )
    before = room.window.run(place, middle)

    room.window.run("document.querySelector('.message').remove()")
    room.window.run(FRAMES)

    assert room.window.run(place, middle) == pytest.approx(before, abs=1)


def rest(room: RoomWindow) -> None:
    """Waits until nothing has moved for longer than the page takes for a rest."""
    room.window.run(
        """
        const scroller = document.querySelector("#chat-scroller");
        return new Promise((resolve) => {
            let timer = setTimeout(resolve, 300);
            scroller.addEventListener("scroll", () => {
                clearTimeout(timer);
                timer = setTimeout(resolve, 300);
            });
        });
        """
    )
