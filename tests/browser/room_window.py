"""The page of a room, as people see and use it."""

from urllib.parse import quote

from selenium.webdriver.common.keys import Keys

from tests.browser.chromium import Chromium
from tests.browser.window import Window


class RoomWindow:
    """A window that is in a room, or soon will be."""

    def __init__(self, window: Window) -> None:
        self.window = window

    @property
    def transcript(self) -> str:
        return self.window.run("return document.querySelector('#chat-log')?.value ?? ''")

    @property
    def lines(self) -> list[str]:
        return self.transcript.splitlines()

    def say(self, message: str) -> None:
        self.window.type(message, Keys.ENTER)

    def hear(self, message: str) -> None:
        """Waits until `message` is a line of the transcript."""
        self.window.until(lambda: message in self.lines, f"hears {message!r}")

    def connect(self) -> "RoomWindow":
        """Waits until the page is connected to the room."""
        self.window.find("#chat-status", "Connected")
        return self


def enter(browser: Chromium, site: str, room: str, before: str = "") -> RoomWindow:
    """A new window in `room` of `site` (`http://localhost:8000`), which is connected."""
    return RoomWindow(browser.open(f"{site}/chat/{quote(room, safe='')}/", before)).connect()
