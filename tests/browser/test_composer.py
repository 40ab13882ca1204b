"""The composer: drafts, texts that are too long, and the keys."""

import pytest
from selenium.webdriver.common.keys import Keys

from tests.browser.chromium import Chromium
from tests.browser.room_window import RoomWindow, enter

VALUE = "return document.querySelector('#chat-message-input').value"
ALERT = "#chat-composer-error"
TOLD = f"return document.querySelector('{ALERT}').textContent"
FREEZE = 4000  # milliseconds: what is not spared takes several times as long
# Each returns how many milliseconds the page takes for a text, until it has been painted.
PAINTED = "await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));"
PUT = f"""
    const [unit, count] = arguments;
    const input = document.querySelector("#chat-message-input");
    const began = performance.now();
    input.value = unit.repeat(count);
    input.dispatchEvent(new InputEvent("input", {{ bubbles: true }}));
    {PAINTED}
    return performance.now() - began;
"""
COPY = """
    const [unit, count] = arguments;
    window.pasted = new Promise((resolve) => addEventListener("paste", () => resolve(performance.now())));
    await navigator.clipboard.writeText(unit.repeat(count));
"""
PASTED = f"""
    const began = await pasted;
    {PAINTED}
    return performance.now() - began;
"""


def reload(room: RoomWindow) -> RoomWindow:
    room.window.driver.refresh()
    return room.connect()


@pytest.mark.parametrize("pause", [True, False])
def test_draft_survives_reloads_until_it_is_sent(browser: Chromium, site: str, pause: bool) -> None:
    room = enter(browser, site, "room1")
    room.window.type("half a ")
    if pause:
        room.window.until(lambda: room.window.run("return Object.values(sessionStorage).includes('half a ')"), "stores")
    reload(room)
    assert room.window.run(VALUE) == "half a "

    room.window.type("thought", Keys.ENTER)

    room.hear("half a thought")
    assert room.window.run(VALUE) == ""
    reload(room)
    assert room.window.run(VALUE) == ""
    assert room.lines == ["half a thought"]


def test_draft_belongs_to_one_room_one_tab_and_one_person(browser: Chromium, site: str) -> None:
    room = enter(browser, site, "room1")
    room.window.type("half a ")
    assert enter(browser, site, "room1").window.run(VALUE) == ""

    room.window.go(f"{site}/chat/room2/")
    assert room.connect().window.run(VALUE) == ""
    room.window.go(f"{site}/chat/room1/")
    assert room.connect().window.run(VALUE) == "half a "

    room.window.driver.delete_all_cookies()
    reload(room)
    assert room.window.run(VALUE) == ""


@pytest.mark.parametrize("by", ["paste", "program"])
@pytest.mark.parametrize("unit", ["x", "word ", "👍", f"{'a long line ' * 20}\n"])
def test_composer_takes_a_million_characters_without_freezing_and_counts_them(
    browser: Chromium, site: str, unit: str, by: str
) -> None:
    room = enter(browser, site, "room1")
    count = 1_000_000 // len(unit)

    if by == "paste":
        permissions = {"origin": site, "permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"]}
        room.window.driver.execute_cdp_cmd("Browser.grantPermissions", permissions)
        room.window.driver.execute_cdp_cmd("Emulation.setFocusEmulationEnabled", {"enabled": True})
        room.window.run(COPY, unit, count)
        room.window.press(Keys.CONTROL, "v")
        milliseconds = room.window.run(PASTED)
    else:
        milliseconds = room.window.run(PUT, unit, count)

    characters = len(unit) * count
    assert room.window.find(ALERT, "Too long to send").text == (
        f"Too long to send: {characters:,} of 4,000 characters, {characters - 4000:,} too many."
    )
    assert milliseconds < FREEZE
    room.window.run(PUT, "", 1)
    assert room.window.run(TOLD) == ""
    room.say("on it goes")
    room.hear("on it goes")


@pytest.mark.parametrize("unit", ["a\n", "\n"])
def test_a_paste_of_too_many_lines_is_left_out_without_a_freeze(browser: Chromium, site: str, unit: str) -> None:
    room = enter(browser, site, "room1")
    room.window.type("a draft")
    permissions = {"origin": site, "permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"]}
    room.window.driver.execute_cdp_cmd("Browser.grantPermissions", permissions)
    room.window.driver.execute_cdp_cmd("Emulation.setFocusEmulationEnabled", {"enabled": True})
    room.window.run(COPY, unit, 1_000_000 // len(unit))

    room.window.press(Keys.CONTROL, "v")

    assert room.window.run(PASTED) < FREEZE
    expected = "Too long to send: 1,000,000 of 4,000 characters, 996,000 too many. It was left out."
    assert room.window.run(TOLD) == expected
    assert room.window.run(VALUE) == "a draft"
    room.say("!")
    room.hear("a draft!")


@pytest.mark.parametrize(
    ("unit", "count", "excess"),
    [("x", 4001, "1 too many."), ("👍", 4001, "1 too many."), ("👍", 4000, ""), ("x", 4000, "")],
)
def test_composer_counts_characters_as_the_server_does(
    browser: Chromium, site: str, unit: str, count: int, excess: str
) -> None:
    room = enter(browser, site, "room1")
    room.window.run(PUT, unit, count)
    assert room.window.run(TOLD)[-len("1 too many.") :] == excess


def test_control_enter_sends(browser: Chromium, site: str) -> None:
    room = enter(browser, site, "room1")
    room.window.type("hello")
    room.window.press(Keys.CONTROL, Keys.ENTER)
    room.hear("hello")


def test_composer_says_that_enter_sends_on_a_device_with_a_keyboard(browser: Chromium, site: str) -> None:
    room = enter(browser, site, "room1")
    assert room.window.find("#chat-message-input").get_attribute("enterkeyhint") == "send"
    assert room.window.find("#chat-composer-hint", "Enter sends")
