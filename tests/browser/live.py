"""The site as Channels' own live server, with a browser beside it: for `manage.py test` and pytest alike."""

import multiprocessing
from collections.abc import Callable
from functools import partial
from typing import Any

from channels.testing import ChannelsLiveServerTestCase
from daphne.testing import DaphneProcess
from django.conf import settings
from django.db import connection

from tests.browser.chromium import Chromium


def use_database(name: str) -> None:
    settings.DATABASES["default"]["NAME"] = name


class LiveServer(DaphneProcess):
    """Daphne on the database of the running test, whose name the settings alone don't tell."""

    def __init__(self, host: str, get_application: Callable[[], Any], setup: Callable[[], None]) -> None:
        super().__init__(host, get_application, setup=partial(use_database, connection.settings_dict["NAME"]))


class LiveSiteTestCase(ChannelsLiveServerTestCase):
    host = "localhost"
    ProtocolServerProcess = LiveServer

    @classmethod
    def setUpClass(cls) -> None:
        cls.browser = Chromium()
        cls.addClassCleanup(cls.browser.quit)
        usual = multiprocessing.get_start_method(allow_none=True)
        # A forked server would inherit open connections to the database, which SQLite doesn't survive.
        multiprocessing.set_start_method("spawn", force=True)
        try:
            super().setUpClass()
        finally:
            multiprocessing.set_start_method(usual, force=True)

    def setUp(self) -> None:
        self.addCleanup(self.browser.tidy)

    def tearDown(self) -> None:
        assert self.browser.complaints() == []
