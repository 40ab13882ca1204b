"""The two scenarios that the Channels tutorial ends with, in the form that its readers give them.

One class, Channels' own live server with its static files, one browser, and nothing of this repository's but the way to
start that. Two seconds have to be enough, as they are there.
"""

from channels.testing import ChannelsLiveServerTestCase
from selenium.webdriver import ActionChains, Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.wait import WebDriverWait

from tests.browser.chromium import start

WAIT = 2  # seconds


class TutorialTests(ChannelsLiveServerTestCase):
    serve_static = True
    driver: Chrome

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.addClassCleanup(super().tearDownClass)
        cls.driver = start()

    @classmethod
    def tearDownClass(cls) -> None:
        cls.driver.quit()

    def tearDown(self) -> None:
        """Leaves the first window where it is, with its socket open, as the tutorial's tests do."""
        first, *others = self.driver.window_handles
        for window in others:
            self.driver.switch_to.window(window)
            self.driver.close()
        self.driver.switch_to.window(first)

    def test_message_is_seen_by_everyone_in_the_same_room(self) -> None:
        self.enter("room_1")
        self.driver.switch_to.new_window("window")
        self.enter("room_1")

        self.turn_to(0)
        self.say("hello")

        self.see("hello")
        self.turn_to(1)
        self.see("hello")

    def test_message_is_not_seen_in_another_room(self) -> None:
        self.enter("room_1")
        self.driver.switch_to.new_window("window")
        self.enter("room_2")

        self.turn_to(0)
        self.say("hello")
        self.see("hello")
        self.turn_to(1)
        self.say("world")
        self.see("world")

        assert "hello" not in self.log

    def enter(self, room: str) -> None:
        self.driver.get(f"{self.live_server_url}/chat/")
        ActionChains(self.driver).send_keys(room, Keys.ENTER).perform()
        WebDriverWait(self.driver, WAIT).until(lambda driver: room in driver.current_url, f"enters {room}")

    def turn_to(self, window: int) -> None:
        self.driver.switch_to.window(self.driver.window_handles[window])

    def say(self, text: str) -> None:
        ActionChains(self.driver).send_keys(text, Keys.ENTER).perform()

    def see(self, text: str) -> None:
        WebDriverWait(self.driver, WAIT).until(lambda _: text in self.log, f"sees {text}")

    @property
    def log(self) -> str:
        return self.driver.find_element(By.CSS_SELECTOR, "#chat-log").get_property("value")
