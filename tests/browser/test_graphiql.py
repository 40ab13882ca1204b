"""GraphiQL's page, without the internet."""

from urllib.parse import urlsplit

from selenium.webdriver.common.keys import Keys

from tests.browser.chromium import Chromium
from tests.browser.room_window import enter
from tests.browser.window import Window

RESPONSE = "return document.querySelector('.graphiql-response .CodeMirror').CodeMirror.getValue()"
OPERATION = "return document.querySelector('.graphiql-query-editor .CodeMirror').CodeMirror.operationName"
LOADED_FROM = "return performance.getEntriesByType('resource').map((entry) => entry.name)"


class GraphiQLWindow:
    """A window with GraphiQL, whose tab `name` is in front. Tabs are called like the operation that is in them."""

    def __init__(self, window: Window, name: str) -> None:
        self.window = window
        window.find(".graphiql-tab-button", name).click()
        # GraphiQL takes a moment to read the query, and until then would execute what it has read before.
        window.until(lambda: window.run(OPERATION) == name, f"reads {name}")

    def execute(self) -> None:
        self.window.find(".graphiql-execute-button").click()

    def show(self, text: str) -> None:
        """Waits until the response has `text` in it."""
        self.window.until(lambda: text in self.window.run(RESPONSE), f"shows {text}")


def test_the_page_needs_nothing_from_other_hosts(browser: Chromium, site: str) -> None:
    window = GraphiQLWindow(browser.open(f"{site}/graphql"), "WhoAmI").window
    window.find("[aria-label='Show GraphiQL Explorer']").click()
    window.find(".docExplorerWrap", "isGuest")

    hosts = {urlsplit(url).hostname for url in window.run(LOADED_FROM)}

    assert hosts == {"127.0.0.1"}


def test_the_examples_are_in_tabs(browser: Chromium, site: str) -> None:
    window = browser.open(f"{site}/graphql")
    for name in ["SubscribeToChatRooms", "echo", "WhoAmI"]:
        window.find(".graphiql-tab-button", name)


def test_who_one_is_there_is_who_one_is_in_the_chat(browser: Chromium, site: str) -> None:
    name = enter(browser, site, "room1").window.run(
        "return JSON.parse(document.querySelector('#room-data').text).person.name"
    )
    graphiql = GraphiQLWindow(browser.open(f"{site}/graphql"), "WhoAmI")

    graphiql.execute()

    graphiql.show(name)


def test_a_subscription_shows_what_is_said_elsewhere(browser: Chromium, site: str) -> None:
    room = enter(browser, site, "room1")
    subscriber = GraphiQLWindow(browser.open(f"{site}/graphql"), "SubscribeToChatRooms")
    subscriber.execute()
    subscriber.show("Hello my name is foo!")
    room.hear("Hello my name is foo!")

    sender = GraphiQLWindow(browser.open(f"{site}/graphql"), "echo")
    sender.execute()

    sender.show('"sendChatMessage": null')
    subscriber.show("hello room 1")
    room.hear("hello room 1")

    room.say("typed in the chat")

    subscriber.show("typed in the chat")


def test_ctrl_enter_executes_what_one_has_typed(browser: Chromium, site: str) -> None:
    graphiql = GraphiQLWindow(browser.open(f"{site}/graphql"), "WhoAmI")
    graphiql.window.find(".graphiql-query-editor .CodeMirror").click()
    graphiql.window.press(Keys.CONTROL, "a")
    graphiql.window.type("query WhoAmI { __typename ")

    graphiql.window.press(Keys.CONTROL, Keys.ENTER)

    graphiql.show("Query")
