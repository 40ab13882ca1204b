"""Pages of which a script is missing, as where a proxy has refused it: they say so, and offer to load them again."""

import pytest
from django.contrib.auth.models import User
from django.test import Client
from selenium.webdriver.common.by import By

from tests.browser.chromium import Chromium
from tests.browser.graphiql_window import GraphiQLWindow
from tests.browser.room_window import RoomWindow, enter
from tests.browser.test_accessibility import violations
from tests.browser.test_reactions import open_menu, say
from tests.browser.window import Window

TOLD = "This page didn’t load completely. Reload"
# An element that the page's script looks for isn't there.
OLD_TEMPLATE = """
    new MutationObserver(() => document.querySelector("#chat-outbox")?.remove())
        .observe(document, { childList: true, subtree: true });
"""


def block(window: Window, *paths: str) -> None:
    """From now on, the window gets none of these files of the site."""
    window.driver.execute_cdp_cmd("Network.enable", {})
    window.driver.execute_cdp_cmd("Network.setBlockedURLs", {"urls": [f"*/static/{path}" for path in paths]})


def open_without(browser: Chromium, url: str, path: str) -> Window:
    window = browser.open("about:blank")
    block(window, path)
    window.go(url)
    window.find("#page-incomplete", TOLD)
    return window


# The page's own script, one that it imports, and one that is imported by that.
@pytest.mark.parametrize("path", ["chat/room.js", "chat/log/timeline.js", "chat/connection/sleep.js"])
def test_room_page_that_lacks_a_module_says_so_and_loads_again(browser: Chromium, site: str, path: str) -> None:
    window = open_without(browser, f"{site}/chat/room1/?at=1#chat-end", path)

    assert not window.find("main").find_element(By.ID, "chat-status").is_displayed()  # which would say “Connecting…”
    block(window)
    window.click("#page-incomplete a", "Reload")
    room = RoomWindow(window).connect()
    assert not window.driver.find_elements(By.ID, "page-incomplete")
    assert window.url.endswith("/chat/room1/?at=1")
    room.say("hello")
    room.hear("hello")


def test_room_page_whose_modules_do_not_fit_together_says_so(browser: Chromium, site: str) -> None:
    """As while a release is being put in place: one file is new, and the other is not yet."""
    window = browser.open(f"{site}/livez", OLD_TEMPLATE)
    window.go(f"{site}/chat/room1/")
    window.find("#page-incomplete", TOLD)
    (complaint,) = browser.complaints()
    assert "chat-outbox" in complaint


def test_notice_of_a_missing_module_has_no_axe_violations(browser: Chromium, site: str) -> None:
    for path in ("/chat/room1/", "/graphql"):
        window = open_without(browser, f"{site}{path}", "chat/room.js" if path != "/graphql" else "graphiql.js")
        assert violations(window) == []


def test_graphiql_that_lacks_a_module_says_so_and_loads_again(browser: Chromium, site: str) -> None:
    window = open_without(browser, f"{site}/graphql", "graphiql/running.js")
    assert "is loading" not in window.find("main").text
    block(window)
    window.click("#page-incomplete a", "Reload")
    GraphiQLWindow(window, "WhoAmI")


def test_graphiql_without_its_examples_works(browser: Chromium, site: str) -> None:
    window = browser.open("about:blank")
    block(window, "graphiql/examples.graphql")
    window.go(f"{site}/graphql")
    window.find(".graphiql-execute-button")


def test_status_page_that_lacks_a_module_says_so(browser: Chromium, site: str) -> None:
    client = Client()
    client.force_login(User.objects.create_user(username="ann", is_staff=True))
    window = browser.open(f"{site}/livez")
    window.driver.add_cookie({"name": "sessionid", "value": client.cookies["sessionid"].value, "path": "/"})
    block(window, "operating/site-facts.js")
    window.go(f"{site}/admin/site/")
    window.find("#page-incomplete", TOLD)


def test_picker_whose_module_is_missing_says_so_and_opens_later(browser: Chromium, site: str) -> None:
    say()
    room = enter(browser, site, "room1")
    block(room.window, "chat/reactions/emoji-picker.js")
    for told in ("The list of all emoji didn’t load. Try again.", ""):
        open_menu(room)
        room.window.click(".quick-reactions [aria-label='React with another emoji']")
        if told:
            room.window.find("#chat-composer-error", told)
            block(room.window)
    room.window.find(".picker-emoji button")
