"""The two scenarios that the Channels tutorial ends with."""

from selenium.webdriver.common.keys import Keys

from tests.browser.live import LiveSiteTestCase
from tests.browser.room_window import RoomWindow


class TutorialTests(LiveSiteTestCase):
    def test_whoever_is_in_the_same_room_sees_what_is_said(self) -> None:
        first, second = self.enter("room_1"), self.enter("room_1")

        first.say("hello")

        first.hear("hello")
        second.hear("hello")

    def test_whoever_is_in_another_room_does_not(self) -> None:
        first, second = self.enter("room_1"), self.enter("room_2")

        first.say("hello")
        first.hear("hello")
        second.say("world")
        second.hear("world")

        assert first.transcript == "hello\n"
        assert second.transcript == "world\n"

    def enter(self, room: str) -> RoomWindow:
        """Goes there as the tutorial's readers do: by the keyboard, without waiting for anything but the address."""
        window = self.browser.open(f"{self.live_server_url}/chat/")
        window.type(room, Keys.ENTER)
        window.until(lambda: window.url.endswith(f"/chat/{room}/"), f"enters {room}")
        return RoomWindow(window)
