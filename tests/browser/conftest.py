"""A browser for all tests, and a server for it to visit: starting either takes longer than most of them."""

from collections.abc import Iterator

import pytest

from tests.browser.chromium import Chromium
from tests.servers import Server


@pytest.fixture(scope="session")
def chromium() -> Iterator[Chromium]:
    try:
        chromium = Chromium()
    except AssertionError as error:
        pytest.fail(str(error), pytrace=False)
    yield chromium
    chromium.quit()


@pytest.fixture
def browser(chromium: Chromium) -> Iterator[Chromium]:
    """The browser, with new visitors; the test fails if its console complains.

    A test that has servers of its own asks for them first: they then stop after the windows are closed.
    """
    yield chromium
    complaints = chromium.complaints()
    chromium.tidy()
    assert complaints == []


@pytest.fixture(scope="session")
def server(django_db_setup: None) -> Iterator[Server]:
    with Server() as server:
        server.wait_until_it_answers()
        yield server


@pytest.fixture
def site(server: Server, transactional_db: None) -> str:
    """The server's address, for one visitor."""
    return f"http://127.0.0.1:{server.port}"


@pytest.fixture
def same_site(server: Server) -> str:
    """The same server's address, for another visitor."""
    return f"http://localhost:{server.port}"
