"""GraphiQL's page, without the internet."""

import json
import time
from urllib.parse import urlsplit

from asgiref.sync import async_to_sync
from selenium.webdriver.common.keys import Keys

from tests.browser.chromium import Chromium, tells_of_absence
from tests.browser.graphiql_window import EDITOR, GraphiQLWindow, open_query
from tests.browser.room_window import enter
from tests.browser.test_accessibility import show, violations
from tests.browser.test_history import said
from tests.servers import Server
from tests.tokens import program

LOADED_FROM = "return performance.getEntriesByType('resource').map((entry) => entry.name)"
LISTEN = """subscription Listen($room: String!) {
  joinChatRooms(rooms: [{ roomName: $room }], user: "foo") { message }
}"""
KEPT_SOCKET = """
    window.WebSocket = class extends WebSocket {
        constructor(...address) { super(...address); window.socket = this; }
    };
"""
NO_SOCKETS = """
    window.WebSocket = class extends WebSocket {
        constructor(address, protocols) { super(`${address}/no-way-through`, protocols); }
    };
"""


FRONT_TAB_IN_SIGHT = """
    const strip = document.querySelector(".graphiql-tabs").getBoundingClientRect();
    const tab = document.querySelector(".graphiql-tab-active").getBoundingClientRect();
    return tab.left > strip.left - 1 && tab.right < strip.right + 1;
"""
ALL_KEPT_BY_BROWSER = "return JSON.stringify({ ...localStorage }) + JSON.stringify({ ...sessionStorage })"
KEPT_BY_BROWSER = "return localStorage.getItem(arguments[0])"
KEEP_AS_BEFORE = """
    const headers = JSON.stringify({ Authorization: `Bearer ${arguments[0]}` });
    const queries = [{ query: "query Before { me { id } }", operationName: "Before", headers }];
    localStorage.setItem("graphiql:queries", JSON.stringify({ queries }));
"""


def test_graphiql_shows_examples_in_tabs_and_loads_nothing_from_other_hosts(browser: Chromium, site: str) -> None:
    window = browser.open(f"{site}/graphql")
    for name in ["SubscribeToChatRooms", "echo", "WhoAmI", "History"]:
        window.find(".graphiql-tab-button", name)
    GraphiQLWindow(window, "WhoAmI")
    window.click("[aria-label='Show GraphiQL Explorer']")
    window.find(".graphiql-explorer-root", "isGuest")
    assert {urlsplit(url).hostname for url in window.run(LOADED_FROM)} == {"127.0.0.1"}


def test_graphiql_has_the_same_person_as_the_chat(browser: Chromium, site: str) -> None:
    name = enter(browser, site, "room1").window.run(
        "return JSON.parse(document.querySelector('#room-data').text).person.name"
    )
    graphiql = GraphiQLWindow(browser.open(f"{site}/graphql"), "WhoAmI")

    graphiql.execute()

    graphiql.show(name)


def test_message_posted_in_graphiql_of_a_new_browser_can_be_edited_there(browser: Chromium, site: str) -> None:
    query = """
        mutation Post { postMessage(input: { roomName: "of one", message: "helo" }) { message { offset } } }
        mutation Edit { editMessage(input: { roomName: "of one", offset: 1, message: "hello" }) {
            entry { message } error { code }
        } }
    """
    graphiql = open_query(browser, site, query=query)
    for operation, shown in [("Post", '"offset": 1'), ("Edit", '"message": "hello"')]:
        graphiql.execute()  # offers both
        graphiql.window.click("[role=menuitem]", operation)
        graphiql.show(shown)


def test_header_typed_into_graphiql_goes_with_the_operation_and_is_kept_nowhere(browser: Chromium, site: str) -> None:
    secret = async_to_sync(program)().secret
    graphiql = GraphiQLWindow(browser.open(f"{site}/graphql"), "WhoAmI")
    window = graphiql.window
    window.click(".graphiql-editor-tools button", "Headers")
    window.click(".graphiql-editor-tool .graphiql-editor:not(.hidden) .view-lines")
    window.type(json.dumps({"Authorization": f"Bearer {secret}"})[:-1])  # the editor closes the bracket

    graphiql.execute()

    graphiql.show('"isGuest": false')
    window.until(lambda: "WhoAmI" in (window.run(KEPT_BY_BROWSER, "graphiql:queries") or ""), "keeps the history")
    time.sleep(1)  # tabs are kept half a second later
    assert secret not in window.run(ALL_KEPT_BY_BROWSER)
    window.go(f"{site}/graphql")
    graphiql.turn_to("WhoAmI")
    assert secret not in window.run(ALL_KEPT_BY_BROWSER)


def test_header_that_graphiql_kept_before_is_gone_once_the_page_is_open(browser: Chromium, site: str) -> None:
    window = browser.open(f"{site}/graphql")
    GraphiQLWindow(window, "WhoAmI")
    window.run(KEEP_AS_BEFORE, "chat_secret")
    window.go(f"{site}/graphql")
    GraphiQLWindow(window, "WhoAmI")
    assert "chat_secret" not in window.run(ALL_KEPT_BY_BROWSER)
    window.click("[aria-label='Show History']")
    window.find(".graphiql-history-item-label", "Before")  # the operation itself stays


def test_ctrl_enter_in_graphiql_executes_the_typed_query(browser: Chromium, site: str) -> None:
    graphiql = GraphiQLWindow(browser.open(f"{site}/graphql"), "WhoAmI")
    graphiql.window.click(EDITOR)
    graphiql.window.press(Keys.CONTROL, "a")
    graphiql.window.type("query WhoAmI { __typename ")

    graphiql.window.press(Keys.CONTROL, Keys.ENTER)

    graphiql.show('"__typename": "Query"')


def test_subscription_in_graphiql_goes_on_while_another_tab_is_in_front(browser: Chromium, site: str) -> None:
    room = enter(browser, site, "room1")
    graphiql = GraphiQLWindow(browser.open(f"{site}/graphql"), "SubscribeToChatRooms")
    graphiql.execute()
    graphiql.hear("Hello my name is foo!")
    room.hear("Hello my name is foo!")

    graphiql.turn_to("echo")
    graphiql.window.find(".subscription-others", "SubscribeToChatRooms")
    graphiql.execute()
    graphiql.show('"sendChatMessage": null')
    room.hear("hello room 1")
    room.say("typed in the chat")

    graphiql.turn_to("SubscribeToChatRooms")
    graphiql.hear("typed in the chat")
    newest, before, *_ = graphiql.results
    assert ("typed in the chat" in newest, "hello room 1" in before) == (True, True)
    graphiql.execute()
    graphiql.wait_for_state("Ended")
    graphiql.turn_to("echo")
    assert graphiql.window.run("return document.querySelector('.subscription').hidden")


def test_graphiql_opens_the_query_and_variables_of_the_url_and_runs_them_when_asked_to(
    browser: Chromium, site: str
) -> None:
    for _ in range(2):  # the second time GraphiQL has kept its tabs
        query = "query Of($name: String!) { room(name: $name) { name } }"
        graphiql = open_query(browser, site, query=query, variables='{"name": "room of the URL"}')
        assert graphiql.variables == '{"name": "room of the URL"}'
        graphiql.window.find(".graphiql-tab-button", "WhoAmI")
        assert graphiql.response == ""  # a link runs nothing by itself
        graphiql.execute()
        graphiql.show('"name": "room of the URL"')


def test_graphiql_runs_the_operation_named_in_the_url(browser: Chromium, site: str) -> None:
    query = "query One { one: __typename } query Two { two: __typename }"
    graphiql = open_query(browser, site, query=query, operationName="Two")
    graphiql.execute()  # offers both
    graphiql.window.click("[role=menuitem]", "Two")
    graphiql.show('"two": "Query"')
    graphiql.turn_to("WhoAmI")
    graphiql.window.click(EDITOR)
    graphiql.window.press(Keys.CONTROL, Keys.ENTER)  # it may still have the operations of the other tab
    graphiql.show('"isGuest": true')


def test_subscription_in_graphiql_brings_what_it_missed_while_the_server_restarted(
    transactional_db: None, browser: Chromium
) -> None:
    server = Server()
    with server:
        server.wait_until_it_answers()
        graphiql = open_query(browser, f"http://{server.host}", query=LISTEN, variables='{"room": "room1"}')
        graphiql.execute()
        graphiql.hear("Hello my name is foo!")
        graphiql.wait_for_state("Connected")
        enter(browser, f"http://{server.host}", "room1").connect().say("before")
        graphiql.hear("before")
    graphiql.hear("The server is being restarted. Connecting again")
    graphiql.wait_for_state("Reconnecting")
    said(1, 1)

    with server:
        graphiql.hear("All that came meanwhile follows.")
        graphiql.hear('"1"')
        graphiql.wait_for_state("Connected")
        assert len([result for result in graphiql.results if '"before"' in result]) == 1
        assert "reached" not in "".join(graphiql.results)
        browser.tidy()
    assert all(map(tells_of_absence, browser.complaints()))


def test_subscription_in_graphiql_that_is_closed_for_good_shows_code_and_reason(browser: Chromium, site: str) -> None:
    graphiql = open_query(browser, site, before=KEPT_SOCKET, query=LISTEN, variables='{"room": "room1"}')
    graphiql.execute()
    graphiql.hear("Hello my name is foo!")

    graphiql.window.run("socket.onclose(new CloseEvent('close', { code: 4401, reason: 'session_ended' }))")

    graphiql.hear("The server closed the connection (4401: session_ended).")
    graphiql.wait_for_state("Ended")


def test_subscription_in_graphiql_comes_as_events_where_no_websocket_opens(browser: Chromium, site: str) -> None:
    graphiql = open_query(browser, site, before=NO_SOCKETS, query=LISTEN, variables='{"room": "room1"}')
    graphiql.execute()
    graphiql.hear("Hello my name is foo!")
    graphiql.wait_for_state("Connected, by server-sent events")
    graphiql.execute()
    graphiql.wait_for_state("Ended")
    assert all(map(tells_of_absence, browser.complaints()))


def test_example_in_graphiql_leads_to_the_tab_that_has_it_as_it_is_and_that_comes_into_sight(
    browser: Chromium, site: str
) -> None:
    graphiql = GraphiQLWindow(browser.open(f"{site}/graphql"), "WhoAmI")
    window = graphiql.window
    show(window, 600)
    window.click("[aria-label='Show Examples']")
    for _ in range(2):
        for title, name in [("Delete a message", "Delete"), ("Look for messages", "Search"), ("Who you are", "WhoAmI")]:
            window.click(".examples button", title)
            window.until(lambda name=name: f" {name} " in graphiql.query, f"has {name} in front")  # type: ignore[misc]
            window.until(lambda: window.run(FRONT_TAB_IN_SIGHT), f"shows the tab {name}")
    assert window.run("return document.querySelectorAll('.graphiql-tab').length") == 6


def test_graphiql_runs_an_example_on_a_phone_and_has_no_axe_violations_of_ours(browser: Chromium, site: str) -> None:
    graphiql = GraphiQLWindow(browser.open(f"{site}/graphql"))
    window = graphiql.window
    show(window, 360)
    window.click("[aria-label='Show Examples']")
    window.click(".examples button", "The people who are in a room")
    window.click("[aria-label='Hide Examples']")
    assert window.run(FRONT_TAB_IN_SIGHT)
    graphiql.execute()
    graphiql.hear('"roomPresence"')
    assert window.run("return document.documentElement.scrollWidth") <= 360
    # These are GraphiQL's: tabs with buttons in them, and its editor's line numbers and colours.
    assert {rule for rule, _ in violations(window)} <= {"nested-interactive", "color-contrast"}
