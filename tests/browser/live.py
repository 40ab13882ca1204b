"""The site as Channels' own live server, with a browser beside it: for `manage.py test` and pytest alike."""

import time
from urllib.request import urlopen

from channels.testing import ChannelsLiveServerTestCase

from tests.browser.chromium import Chromium


class LiveSiteTestCase(ChannelsLiveServerTestCase):
    @classmethod
    def setUpClass(cls) -> None:
        cls.browser = Chromium()
        cls.addClassCleanup(cls.browser.quit)
        super().setUpClass()

    def setUp(self) -> None:
        self.addCleanup(self.wait_until_all_have_left)
        self.addCleanup(self.browser.tidy)

    def wait_until_all_have_left(self) -> None:
        """Else those who come to the same rooms next are told that their logs, which are emptied now, went back."""
        deadline = time.monotonic() + 10
        while b"\nchat_listeners 0.0\n" not in urlopen(f"{self.live_server_url}/metrics").read():
            assert time.monotonic() < deadline, "somebody still listens"
            time.sleep(0.01)

    def tearDown(self) -> None:
        assert self.browser.complaints() == []
