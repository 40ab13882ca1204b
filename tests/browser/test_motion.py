"""Pages for readers who want nothing to move: what would move is there at once."""

import pytest

from tests.browser.chromium import Chromium
from tests.browser.room_window import enter
from tests.browser.test_history import said
from tests.browser.window import Window

# Elements, and what stands before and after them, that would move; an animation may wait, if it then takes no time.
MOVING = """
    const moves = (style) =>
        `${style.transitionDuration}, ${style.animationDuration}`.split(", ").some((duration) => duration !== "0s") ||
        style.scrollBehavior !== "auto";
    const parts = ["", "::before", "::after", "::backdrop"];
    return Array.from(document.querySelectorAll("*"))
        .flatMap((element) => parts.map((part) => [element, part]))
        .filter(([element, part]) => moves(getComputedStyle(element, part || null)))
        .map(([element, part]) => element.outerHTML.slice(0, 60) + part);
"""
RUNNING = """
    return document.getAnimations().filter((each) => each.effect.getComputedTiming().duration > 0).length;
"""
# GraphiQL shows it while a query takes long.
SPINNER = """
    document.querySelector("#graphiql")?.insertAdjacentHTML("beforeend", '<div class="graphiql-spinner"></div>');
"""


def prefer(window: Window, motion: str) -> None:
    features = [{"name": "prefers-reduced-motion", "value": motion}]
    window.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})


@pytest.mark.parametrize("path", ["/chat/", "/chat/room1/", "/accounts/login/", "/graphql"])
def test_page_has_no_motion_for_readers_who_want_none(browser: Chromium, site: str, path: str) -> None:
    window = browser.open(f"{site}{path}")
    window.find("button")
    window.run(SPINNER)
    assert window.run(MOVING) != [], "there is something to hold still"
    prefer(window, "reduce")
    assert window.run(MOVING) == []


def test_all_that_opens_in_a_room_stands_still_for_readers_who_want_no_motion(
    browser: Chromium, site: str, same_site: str
) -> None:
    said(1, 60)
    room = enter(browser, site, "room1")
    prefer(room.window, "reduce")
    other = enter(browser, same_site, "room1")
    other.window.type("typing")
    room.window.find("#chat-typing", "is typing…")
    assert (room.window.run(MOVING), room.window.run(RUNNING)) == ([], 0)
    for opener, opened in [("#keys-open", "#chat-keys"), ("#room-switch", "#room-switcher")]:
        room.window.click(opener)
        room.window.find(opened)
        assert (room.window.run(MOVING), room.window.run(RUNNING)) == ([], 0)
        room.window.run(f"document.querySelector('{opened}').close()")


def test_link_to_a_message_jumps_there_at_once_for_readers_who_want_no_motion(browser: Chromium, site: str) -> None:
    said(1, 60)
    room = enter(browser, site, "room1")
    prefer(room.window, "reduce")
    top = "return document.querySelector('#chat-scroller').scrollTop"
    before = room.window.run(top)
    room.window.run("document.querySelector('.permalink[data-at=\"30\"]').click()")
    at_once = room.window.run(top)
    assert at_once < before
    room.window.find(".found", "30")
    assert room.window.run(top) == at_once
