"""Previews of links on the room's page."""

import contextlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from urllib.parse import urlsplit

import pytest
from PIL import Image
from selenium.webdriver.common.keys import Keys

from tests.browser.chromium import Chromium
from tests.browser.room_window import enter
from tests.browser.test_accessibility import violations
from tests.servers import Server

PAGE = """<title>Tides of the North Sea</title>
<meta property="og:description" content="How the moon, the coast and the wind make the water rise and fall.">
<meta property="og:site_name" content="Harbour News"><meta property="og:image" content="/picture.png">"""
REMOVE = "Remove the preview of “Tides of the North Sea”"
BUTTONS = "return document.querySelectorAll('.remove-link').length"
CARD = "document.querySelector('.message:last-of-type .link-card')"
PICTURE_IS_LOADED = f"return {CARD}?.querySelector('img')?.naturalWidth"
END_IN_VIEW = """
const scroller = document.querySelector("#chat-scroller");
return Math.abs(scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight) < 2;
"""


def picture() -> bytes:
    content = BytesIO()
    Image.linear_gradient("L").resize((640, 400)).convert("RGB").save(content, "PNG")
    return content.getvalue()


class LinkedHost(BaseHTTPRequestHandler):
    """One page with a picture."""

    def do_GET(self) -> None:
        is_page = self.path == "/tides"
        body = PAGE.encode() if is_page else picture()
        self.send_response(200)
        self.send_header("Content-Type", "text/html" if is_page else "image/png")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def page_url() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), LinkedHost) as host:
        threading.Thread(target=host.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{host.server_port}/tides"
        host.shutdown()


@pytest.fixture
def showing_site(transactional_db: None) -> Iterator[str]:
    """A site that shows previews, also of pages on this machine."""
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(Server(CHAT_LINK_PREVIEWS="on", CHAT_OUTGOING_NETWORKS="127.0.0.0/8"))
        server.wait_until_it_answers()
        yield f"http://{server.host}"


def test_preview_comes_under_the_message_and_the_page_stays_at_its_end(
    showing_site: str, page_url: str, browser: Chromium
) -> None:
    room = enter(browser, showing_site, "room1")
    for number in range(30):
        room.say(f"line {number}")
    room.hear("line 29")
    room.say(f"see {page_url}")
    card = room.window.find(".link-card", "Tides of the North Sea")
    assert card.text.startswith(f"{urlsplit(page_url).netloc} · Harbour News")
    assert (card.get_attribute("href"), card.get_attribute("target")) == (page_url, "_blank")
    assert card.get_attribute("rel") == "noopener noreferrer nofollow"
    room.window.until(lambda: room.window.run(PICTURE_IS_LOADED) == 480, "shows the picture")
    room.window.until(lambda: room.window.run(END_IN_VIEW), "is at its end")
    assert room.lines[-1] == f"see {page_url}"

    room.window.go(room.window.url)
    room.window.find(".link-card", "How the moon")


def test_author_takes_a_preview_away_for_everybody_by_the_keys(
    showing_site: str, page_url: str, browser: Chromium
) -> None:
    other_site = showing_site.replace("127.0.0.1", "localhost")  # for another visitor
    author, other = enter(browser, showing_site, "room1"), enter(browser, other_site, "room1")
    author.say(f"see {page_url}")
    for room in (author, other):
        room.window.find(".link-card", "Tides of the North Sea")
    assert other.window.run(BUTTONS) == 0
    assert violations(author.window) == []
    author.window.run("document.querySelector('.message .actions').focus()")
    author.window.type(Keys.ARROW_RIGHT)
    assert author.window.run("return document.activeElement.ariaLabel") == REMOVE
    author.window.type(Keys.ENTER)
    for room in (author, other):
        room.window.until(lambda room=room: not room.window.run("return !!document.querySelector('.links')"), "is gone")
    assert author.window.run("return document.activeElement.className") == "actions quiet"
    author.window.go(author.window.url)
    author.hear(f"see {page_url}")
    assert not author.window.run("return !!document.querySelector('.links')")
