"""Pages checked by axe for WCAG and good practice, without any violation."""

import pytest
from selenium.webdriver.common.keys import Keys

from chat.domain.people import Person
from chat.domain.rooms import find
from chat.storage import log
from tests.browser.chromium import Chromium
from tests.browser.room_window import enter
from tests.browser.test_history import said
from tests.browser.window import Window
from tests.servers import ROOT

AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
RUN = """
    const { violations } = await axe.run();
    return violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)]);
"""


@pytest.fixture(params=["light", "dark"])
def scheme(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(params=[360, 1200])
def width(request: pytest.FixtureRequest) -> int:
    return request.param


def show(window: Window, width: int, scheme: str) -> None:
    size = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width == 360}
    window.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    window.driver.execute_cdp_cmd("Emulation.setTouchEmulationEnabled", {"enabled": width == 360})
    # Without motion: a colour that is on its way to the other scheme would be judged as it is at that moment.
    features = {"prefers-color-scheme": scheme, "prefers-reduced-motion": "reduce"}
    preferences = {"features": [{"name": name, "value": value} for name, value in features.items()]}
    window.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", preferences)


def violations(window: Window) -> list[str]:
    window.run(AXE.read_text())
    return window.run(RUN)


def test_room_page_has_no_axe_violations(browser: Chromium, site: str, width: int, scheme: str) -> None:
    said(1, 60)
    room = enter(browser, site, "room1")
    room.say("mine")
    room.hear("mine")
    room.window.run("document.querySelector('#chat-message-input').value = 'a\\n'.repeat(100)")
    room.window.type(Keys.ENTER)
    room.window.find(".fold")
    show(room.window, width, scheme)
    assert violations(room.window) == []

    room.window.find(".own .actions").click()
    room.window.find("#chat-menu button", "Delete")
    assert violations(room.window) == []
    room.window.type(Keys.ENTER)
    assert violations(room.window) == []


FORMATTED = ["**a** *b* ~~c~~ `d` https://a.example", "> a\n\n- b\n  1. c", "```\n" + "x" * 200 + "\n```"]


def test_formatted_messages_and_the_help_have_no_axe_violations(
    browser: Chromium, site: str, width: int, scheme: str
) -> None:
    for text in FORMATTED:
        log.append([log.Draft(room=find("room1"), text=text, person=Person(id="user-7", name="Zoë"))])
    room = enter(browser, site, "room1")
    room.say(FORMATTED[0])
    room.window.find(".own .formatted")
    show(room.window, width, scheme)
    assert violations(room.window) == []

    room.window.run("document.querySelector('#formatting-help').showPopover()")
    assert violations(room.window) == []


@pytest.mark.parametrize("path", ["/chat/", "/chat/empty/", "/accounts/login/", "/accounts/signup/", "/accounts/name/"])
def test_other_pages_have_no_axe_violations(browser: Chromium, site: str, path: str, width: int, scheme: str) -> None:
    window = browser.open("about:blank")
    show(window, width, scheme)
    window.go(f"{site}{path}")
    window.find("h1")
    assert violations(window) == []
