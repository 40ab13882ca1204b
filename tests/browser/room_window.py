"""The page of a room, as people see and use it."""

from urllib.parse import quote

from selenium.webdriver.common.keys import Keys

from tests.browser.chromium import Chromium
from tests.browser.window import Window

MENU = """
    const lines = [...document.querySelectorAll("#chat-log .message")];
    const line = lines.find((line) => line.querySelector(".text")?.textContent.startsWith(arguments[0]));
    const menu = line.querySelector(".actions");
    menu.click();
"""
ITEMS = """
    const items = Array.from(document.querySelectorAll("#chat-menu button"), (item) => item.textContent);
    menu.click();
    return items;
"""


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

    def step_into_log(self) -> None:
        """Goes from the composer to the last message by keys, past the button that attaches files."""
        for _ in range(2):
            self.window.press(Keys.SHIFT, Keys.TAB)

    def open_menu(self, text: str) -> None:
        """Opens the menu of the first message that begins with `text`."""
        self.window.run(MENU, text)

    def choose(self, text: str, item: str) -> None:
        """Clicks on an item in the menu of that message, which closes whenever the page shows the message anew."""

        def act() -> bool:
            self.open_menu(text)
            button = self.window.look("#chat-menu button", item)
            return button is not None and button.click() is None

        self.window.until(act, f"chooses {item} in the menu of {text}")

    def menu_of(self, text: str) -> list[str]:
        """The items in the menu of that message. It is read in one step: the page shows messages anew at any time."""
        return self.window.run(MENU + ITEMS, text)

    def connect(self) -> "RoomWindow":
        """Waits until the page is connected to the room."""
        self.window.find("#chat-status", "Connected")
        return self


def enter(browser: Chromium, site: str, room: str, before: str = "") -> RoomWindow:
    """A new window in `room` of `site` (`http://localhost:8000`), which is connected."""
    return RoomWindow(browser.open(f"{site}/chat/{quote(room, safe='')}/", before)).connect()
