"""The browser that the tests drive: a headless Chromium that can reach nothing but this machine."""

import os
import shutil
from typing import Any, Literal
from urllib.parse import SplitResult, urlsplit

from selenium import webdriver
from selenium.common.exceptions import WebDriverException

from tests.browser.window import Window

STORAGES = "local_storage,cache_storage,service_workers"
NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"]
FLAGS = [
    "--headless=new",
    "--no-sandbox",  # Chromium refuses to have one as root
    "--disable-dev-shm-usage",  # which is small in containers
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    # Else each window loads pages for what its address bar shows: as much work as a page of ours.
    "--disable-features=WebUIOmniboxPopup,WebUIOmniboxAimPopup,WebUIOmniboxFullPopup",
    "--lang=en-GB",
    "--window-size=1200,900",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
]


class Chromium:
    """One browser, for as many tests as one likes: `tidy` between them.

    Cookies belong to a host whatever its port, so http://localhost and http://127.0.0.1 have two visitors, who know
    nothing of each other. Raises AssertionError where there is no browser.
    """

    def __init__(self, **preferences: Any) -> None:
        __tracebackhide__ = True  # pytest then shows what is missing, not where it was missed
        self.driver = start(preferences)
        self.blank = self.driver.current_window_handle

    def open(self, url: str, before: str = "", kind: Literal["window", "tab"] = "window") -> Window:
        """A new window or tab that shows `url`; the script `before` runs in each of its pages before the page's own."""
        self.driver.switch_to.new_window(kind)
        window = Window(self.driver)
        if before:
            self.driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": before})
        window.go(url)
        return window

    def complaints(self) -> list[str]:
        """The console's messages since the last call that Chromium calls severe."""
        return [entry["message"] for entry in self.driver.get_log("browser") if entry["level"] == "SEVERE"]

    def tidy(self) -> None:
        """Closes the windows and forgets who the visitors were and what pages have stored."""
        for handle in self.driver.window_handles:
            if handle != self.blank:
                self.driver.switch_to.window(handle)
                self._forget_origin(urlsplit(self.driver.current_url))
                self.driver.close()
        self.driver.switch_to.window(self.blank)
        self.driver.execute_cdp_cmd("Network.clearBrowserCookies", {})

    def _forget_origin(self, url: SplitResult) -> None:
        """Forgets what the origin of `url` has stored, its service worker as well."""
        if url.netloc:
            stored = {"origin": f"{url.scheme}://{url.netloc}", "storageTypes": STORAGES}
            self.driver.execute_cdp_cmd("Storage.clearDataForOrigin", stored)

    def quit(self) -> None:
        self.driver.quit()


def tells_of_absence(complaint: str) -> bool:
    """Whether the console complains that a server which is away couldn't be reached, which pages try by themselves."""
    return "WebSocket" in complaint or "/accounts/me/" in complaint


def start(preferences: dict[str, Any] | None = None) -> webdriver.Chrome:
    __tracebackhide__ = True
    options = webdriver.ChromeOptions()
    options.add_experimental_option("prefs", preferences or {})
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    for flag in FLAGS:
        options.add_argument(flag)
    browser = next(filter(None, map(shutil.which, NAMES)), None)
    driver = shutil.which("chromedriver")
    os.environ["SE_AVOID_STATS"] = "true"
    if browser and driver:
        options.binary_location = browser
        os.environ["SE_OFFLINE"] = "true"
    try:
        return webdriver.Chrome(options, webdriver.ChromeService(driver))
    except WebDriverException as error:
        reason = (error.msg or "").strip().partition("\n")[0]
    raise AssertionError(f"No browser to test with: install chromium and chromedriver, or Chrome. ({reason})")
