"""The site as Channels' own live server, with a browser beside it: for `manage.py test` and pytest alike."""

from channels.testing import ChannelsLiveServerTestCase

from tests.browser.chromium import Chromium


class LiveSiteTestCase(ChannelsLiveServerTestCase):
    @classmethod
    def setUpClass(cls) -> None:
        cls.browser = Chromium()
        cls.addClassCleanup(cls.browser.quit)
        super().setUpClass()

    def setUp(self) -> None:
        self.addCleanup(self.browser.tidy)

    def tearDown(self) -> None:
        assert self.browser.complaints() == []
