"""A window of the browser."""

from collections.abc import Callable
from typing import Any, TypeVar

from selenium.common.exceptions import (
    ElementNotInteractableException,
    JavascriptException,
    StaleElementReferenceException,
)
from selenium.webdriver import ActionChains, Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.wait import WebDriverWait

WAIT_TIMEOUT = 15.0  # seconds to wait for an element or a condition

Found = TypeVar("Found")


class Window:
    """The window that `driver` has just turned to. Each method turns the driver to it first."""

    def __init__(self, driver: Chrome) -> None:
        self._driver = driver
        self._handle = driver.current_window_handle

    @property
    def driver(self) -> Chrome:
        if self._driver.current_window_handle != self._handle:
            self._driver.switch_to.window(self._handle)
        return self._driver

    @property
    def url(self) -> str:
        return self.driver.current_url

    def go(self, url: str) -> None:
        self.driver.get(url)

    def type(self, *keys: str) -> None:
        """Types without a click, into the element that has the focus."""
        ActionChains(self.driver).send_keys(*keys).perform()

    def press(self, modifier: str, key: str) -> None:
        ActionChains(self.driver).key_down(modifier).send_keys(key).key_up(modifier).perform()

    def fill_in(self, **fields: str) -> None:
        """Fills in the page's form by the names of its fields, and sends it off."""
        for name, value in fields.items():
            field = self.find(f"main [name={name}]")
            field.clear()
            field.send_keys(value)
        self.type(Keys.ENTER)

    def run(self, script: str, *arguments: Any) -> Any:
        """The result of `script`, the body of a JavaScript function."""
        return self.driver.execute_script(script, *arguments)

    def find(self, selector: str, text: str = "") -> WebElement:
        """The first visible element of `selector` that has `text` in it, as soon as there is one.

        The page may put another in its place at any time: `click` and `type_into` then begin again.
        """
        return self.until(lambda: self.look(selector, text), f"{selector} {text}".strip())

    def click(self, selector: str, text: str = "") -> None:
        """Clicks on the element that `find` finds."""

        def act() -> bool:
            element = self.look(selector, text)
            return element is not None and element.click() is None

        self.until(act, f"clicks {selector} {text}".strip())

    def type_into(self, selector: str, *keys: str) -> None:
        """Types into the element that `find` finds."""

        def act() -> bool:
            element = self.look(selector)
            return element is not None and element.send_keys(*keys) is None

        self.until(act, f"types into {selector}")

    def look(self, selector: str, text: str = "") -> WebElement | None:
        """The first visible element of `selector` that has `text` in it, if there is one now."""
        elements = self.driver.find_elements(By.CSS_SELECTOR, selector)
        return next((element for element in elements if text in element.text and element.is_displayed()), None)

    @property
    def focus(self) -> str:
        """The id of the element that has the focus."""
        return self.run("return document.activeElement.id")

    def until(self, condition: Callable[[], Found | None], what: str) -> Found:
        """The result of `condition`, once it is true; the page may change meanwhile.

        Raises TimeoutException, which says `what` was awaited and what was there instead.
        """
        ignored = [JavascriptException, StaleElementReferenceException, ElementNotInteractableException]
        wait = WebDriverWait(self.driver, WAIT_TIMEOUT, poll_frequency=0.05, ignored_exceptions=ignored)
        return wait.until(lambda _: condition(), f"{what} – at {self.url}: {self._text()}")

    def _text(self) -> str:
        # WebDriver can't read half a character, which a test may have typed.
        return self.run("return document.body.innerText.toWellFormed()")
