"""GraphiQL's page, without the internet."""

from urllib.parse import urlencode, urlsplit

from selenium.webdriver.common.keys import Keys

from tests.browser.chromium import Chromium
from tests.browser.room_window import enter
from tests.browser.window import Window
from tests.servers import Server

RESPONSE = "return document.querySelector('.graphiql-response .CodeMirror').CodeMirror.getValue()"
OPERATION = "return document.querySelector('.graphiql-query-editor .CodeMirror').CodeMirror.operationName"
LOADED_FROM = "return performance.getEntriesByType('resource').map((entry) => entry.name)"


class GraphiQLWindow:
    """A window with GraphiQL, whose tab `name` is in front. Tabs are called like the operation that is in them."""

    def __init__(self, window: Window, name: str) -> None:
        self.window = window
        # GraphiQL may draw its tabs anew between finding one and clicking on it.
        window.click(".graphiql-tab-button", name)
        # GraphiQL takes a moment to read the query, and until then would execute what it has read before.
        window.until(lambda: window.run(OPERATION) == name, f"reads {name}")

    def execute(self) -> None:
        self.window.click(".graphiql-execute-button")

    def show(self, text: str) -> None:
        """Waits until the response has `text` in it."""
        self.window.until(lambda: text in self.window.run(RESPONSE), f"shows {text}")


def test_graphiql_loads_nothing_from_other_hosts(browser: Chromium, site: str) -> None:
    window = GraphiQLWindow(browser.open(f"{site}/graphql"), "WhoAmI").window
    window.click("[aria-label='Show GraphiQL Explorer']")
    window.find(".docExplorerWrap", "isGuest")

    hosts = {urlsplit(url).hostname for url in window.run(LOADED_FROM)}

    assert hosts == {"127.0.0.1"}


def test_graphiql_shows_the_examples_in_tabs(browser: Chromium, site: str) -> None:
    window = browser.open(f"{site}/graphql")
    for name in ["SubscribeToChatRooms", "echo", "WhoAmI"]:
        window.find(".graphiql-tab-button", name)


def test_graphiql_has_the_same_person_as_the_chat(browser: Chromium, site: str) -> None:
    name = enter(browser, site, "room1").window.run(
        "return JSON.parse(document.querySelector('#room-data').text).person.name"
    )
    graphiql = GraphiQLWindow(browser.open(f"{site}/graphql"), "WhoAmI")

    graphiql.execute()

    graphiql.show(name)


def test_subscription_in_graphiql_shows_messages_of_the_chat_and_of_mutations(browser: Chromium, site: str) -> None:
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


def test_ctrl_enter_in_graphiql_executes_the_typed_query(browser: Chromium, site: str) -> None:
    graphiql = GraphiQLWindow(browser.open(f"{site}/graphql"), "WhoAmI")
    graphiql.window.click(".graphiql-query-editor .CodeMirror")
    graphiql.window.press(Keys.CONTROL, "a")
    graphiql.window.type("query WhoAmI { __typename ")

    graphiql.window.press(Keys.CONTROL, Keys.ENTER)

    graphiql.show("Query")


QUERY = "return document.querySelector('.graphiql-query-editor .CodeMirror').CodeMirror.getValue()"
VARIABLES = """return [...document.querySelectorAll('.graphiql-editor-tool .CodeMirror')][0].CodeMirror.getValue()"""
STATUS = "return document.querySelector('#graphiql-status').textContent"
LISTEN = """subscription Listen($room: String!) {
  joinChatRooms(rooms: [{ roomName: $room }], user: "foo") { message }
}"""


def opened_with(browser: Chromium, site: str, *, before: str = "", **parameters: str) -> Window:
    window = browser.open(f"{site}/graphql?{urlencode(parameters)}", before)
    window.until(lambda: window.run(QUERY) == parameters["query"], "has the query of the URL")
    return window


def shows(window: Window, text: str, script: str = RESPONSE) -> None:
    window.until(lambda: text in window.run(script), f"shows {text}")


def test_graphiql_opens_the_query_and_variables_of_the_url_and_runs_them_when_asked_to(
    browser: Chromium, site: str
) -> None:
    for _ in range(2):  # the second time GraphiQL has kept its tabs
        query = "query Of($name: String!) { room(name: $name) { name } }"
        window = opened_with(browser, site, query=query, variables='{"name": "room of the URL"}')
        assert window.run(VARIABLES) == '{"name": "room of the URL"}'
        window.find(".graphiql-tab-button", "WhoAmI")
        assert window.run(RESPONSE) == ""  # a link runs nothing by itself
        window.click(".graphiql-execute-button")
        shows(window, '"name": "room of the URL"')


def test_graphiql_runs_the_operation_named_in_the_url(browser: Chromium, site: str) -> None:
    query = "query One { one: __typename } query Two { two: __typename }"
    window = opened_with(browser, site, query=query, operationName="Two")
    window.click(".graphiql-execute-button")
    shows(window, '"two": "Query"')
    whoami = GraphiQLWindow(window, "WhoAmI")
    window.click(".graphiql-query-editor .CodeMirror")
    window.press(Keys.CONTROL, Keys.ENTER)  # the button may still offer the operations of the other tab
    whoami.show('"isGuest": true')


def test_graphiql_opens_and_runs_a_subscription_of_the_url(browser: Chromium, site: str) -> None:
    window = opened_with(browser, site, query=LISTEN, variables='{"room": "room1"}', operationName="Listen")
    window.click(".graphiql-execute-button")
    shows(window, "Hello my name is foo!")


def test_subscription_in_graphiql_tells_of_a_lost_connection_and_goes_on(
    transactional_db: None, browser: Chromium
) -> None:
    server = Server()
    with server:
        server.wait_until_it_answers()
        window = opened_with(browser, f"http://{server.host}", query=LISTEN, variables='{"room": "room1"}')
        window.click(".graphiql-execute-button")
        shows(window, "Hello my name is foo!")
        assert window.run(STATUS) == ""
    shows(window, "The server is being restarted. Connecting again", STATUS)
    assert "isTrusted" not in window.run(RESPONSE)

    with server:
        shows(window, "Connected again", STATUS)
        room = enter(browser, f"http://{server.host}", "room1")
        room.say("after the restart")

        shows(window, "after the restart")
        window.click(".graphiql-execute-button")
        window.until(lambda: window.run(STATUS) == "", "has nothing to say once nothing is subscribed")
        browser.tidy()
    assert all("WebSocket" in complaint for complaint in browser.complaints())


def test_subscription_in_graphiql_that_is_closed_for_good_shows_code_and_reason(browser: Chromium, site: str) -> None:
    kept = """
        window.WebSocket = class extends WebSocket {
            constructor(...address) { super(...address); window.socket = this; }
        };
    """
    window = opened_with(browser, site, before=kept, query=LISTEN, variables='{"room": "room1"}')
    window.click(".graphiql-execute-button")
    shows(window, "Hello my name is foo!")

    window.run("socket.onclose(new CloseEvent('close', { code: 4401, reason: 'session_ended' }))")

    shows(window, "The server closed the connection (4401: session_ended).")
    assert "isTrusted" not in window.run(RESPONSE)
    assert all("session_ended" in complaint for complaint in browser.complaints())  # GraphiQL tells the console, too
