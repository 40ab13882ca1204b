"""The pages in a browser that runs no scripts."""

from collections.abc import Iterator

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from chat.domain.people import Person
from chat.domain.rooms import find
from chat.storage import log
from tests.browser.chromium import Chromium
from tests.browser.test_history import AT_END, said
from tests.browser.window import Window

LOG = "#chat-log"
CALM = "rgba(221, 231, 255, 1)"  # the colour of notices that tell of no error


@pytest.fixture
def window(browser: Chromium) -> Iterator[Window]:
    window = browser.open("about:blank")
    window.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    yield window
    window.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})


def shown(window: Window, selector: str) -> bool:
    return any(element.is_displayed() for element in window.driver.find_elements(By.CSS_SELECTOR, selector))


def test_room_page_without_scripts_shows_history_and_a_notice(window: Window, site: str) -> None:
    lines = said(1, 40)
    window.go(f"{site}/chat/room1/")
    texts = [text.text for text in window.driver.find_elements(By.CSS_SELECTOR, f"{LOG} .message .text")]
    assert texts == lines
    assert window.find(f"{LOG} .author").text == "Zoë"
    assert window.find(f"{LOG} time")
    notice = window.find(".notice", "Without JavaScript")
    assert notice.value_of_css_property("background-color") == CALM
    assert not shown(window, ".composer, connection-status, #chat-newest, #chat-history button")

    window.click(".notice a", "Go to the newest")

    assert window.run(AT_END)


def test_room_page_without_scripts_shows_formatting(window: Window, site: str) -> None:
    log.append([log.Draft(room=find("room1"), text="**a** <b>", person=Person(id="user-7", name="Zoë"))])
    window.go(f"{site}/chat/room1/")
    assert window.find(f"{LOG} .formatted strong", "a")
    assert window.find(f"{LOG} .formatted", "a <b>")


def test_index_page_without_scripts_leads_to_the_typed_room(window: Window, site: str) -> None:
    window.go(f"{site}/chat/")
    window.type_into("#room-name-input", "room 1/2", Keys.ENTER)
    window.until(lambda: window.url == f"{site}/chat/room%201%2F2/", "enters the room")
    assert window.find("h1", "room 1/2")


def test_room_page_with_scripts_shows_each_message_of_the_history_once(browser: Chromium, site: str) -> None:
    lines = said(1, 3)
    window = browser.open(f"{site}/chat/room1/")
    window.find("#chat-status", "Connected")
    texts = [text.text for text in window.driver.find_elements(By.CSS_SELECTOR, f"{LOG} .text")]
    assert texts == lines
    assert not shown(window, ".notice")


def test_link_to_a_message_without_scripts_shows_its_part_of_the_history_and_leads_on(
    window: Window, site: str
) -> None:
    lines = said(1, 120)
    log.append([log.Draft(room=find("room1"), text="a reply", person=Person(id="user-7", name="Zoë"), reply_to=60)])
    window.go(f"{site}/chat/room1/?at=60")

    def texts() -> list[str]:
        return [text.text for text in window.driver.find_elements(By.CSS_SELECTOR, f"{LOG} .message .text")]

    assert texts() == lines[34:85]
    assert window.find(".found .text").text == "60"
    window.click(".notice a", "Go to the message")
    assert window.url.endswith("#message-60")
    window.click(".notice a", "Later messages")
    assert window.find(".found .text").text == "85"
    assert texts() == lines[59:110]
    window.click(".notice a", "Earlier messages")
    assert window.find(".found .text").text == "60"
    window.click(".notice a", "Go to the newest")
    window.until(lambda: texts()[-1] == "a reply", "shows the newest")
    window.click(".quote", "60")
    assert window.find(".found .text").text == "60"

    window.go(f"{site}/chat/room1/?at=999")
    assert window.find("#chat-jump", "not here")
    assert texts()[-1] == "a reply"
