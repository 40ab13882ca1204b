"""A deploy as pages see it: three pages, each on an instance that is restarted while all of them post."""

from contextlib import ExitStack

import pytest

from tests.browser.chromium import Chromium, tells_of_absence
from tests.browser.room_window import enter
from tests.browser.test_connection import SOCKETS
from tests.servers import DAPHNE, UVICORN, Server

CLOSINGS = """
    sockets[0].addEventListener("close", (event) => { window.closedWith = [event.code, event.reason]; });
"""


@pytest.mark.parametrize("program", [UVICORN, DAPHNE], ids=["uvicorn", "daphne"])
def test_pages_lose_no_message_in_a_rolling_restart(transactional_db: None, browser: Chromium, program: str) -> None:
    servers = [Server(program) for _ in range(3)]
    with ExitStack() as stack:
        running = []
        for server in servers:
            stack.enter_context(instance := ExitStack())
            instance.enter_context(server)
            server.wait_until_it_answers()
            running.append(instance)
        pages = [enter(browser, f"http://{server.host}", "room1", SOCKETS) for server in servers]
        for number, (page, server, instance) in enumerate(zip(pages, servers, running, strict=True)):
            page.window.run(CLOSINGS)
            instance.close()
            for name, other in enumerate(pages):
                other.say(f"while {number} is away, from {name}")
            assert page.window.run("return window.closedWith") == [1012, "restarting"]
            instance.enter_context(server)
            server.wait_until_it_answers()
            page.connect().say(f"{number} is back")
            page.hear(f"{number} is back")
        said = {f"while {number} is away, from {name}" for number in range(3) for name in range(3)}
        said |= {f"{number} is back" for number in range(3)}
        for page in pages:
            page.window.until(lambda page=page: set(page.lines) == said, "has heard everything")
        assert pages[0].lines == pages[1].lines == pages[2].lines
        assert len(pages[0].lines) == len(said)
        browser.tidy()
    assert all(map(tells_of_absence, browser.complaints()))
