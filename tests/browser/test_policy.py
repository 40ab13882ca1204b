"""The content security policy: pages work under it, and it stops injected scripts.

Chromium complains on its console of whatever is against the policy, and `browser` fails every test in which it does.
"""

import pytest
from django.contrib.auth import get_user_model
from selenium.webdriver.common.keys import Keys

from tests.browser.chromium import Chromium
from tests.browser.graphiql_window import EDITOR, GraphiQLWindow
from tests.browser.room_window import RoomWindow, enter

# HTML of an attacker in a page. A script in it has run if `ran` is set.
INJECTED = [
    "<img src='data:,' onerror='ran = 1'>",
    "<a href='javascript:ran = 1' autofocus onfocus='ran = 1'>x</a>",
    "<iframe srcdoc='<script>parent.ran = 1</script>'></iframe>",
    "<iframe src='javascript:parent.ran = 1'></iframe>",
    "<form action='javascript:ran = 1'><button>x</button></form>",
]
INJECT = """
document.body.insertAdjacentHTML("beforeend", arguments[0]);
document.body.lastElementChild.click();
document.querySelector("body > form:last-child")?.requestSubmit();
"""
SCRIPT = """
const script = Object.assign(document.createElement("script"), arguments[0]);
return new Promise((resolve) => {
  script.onload = script.onerror = resolve;
  addEventListener("securitypolicyviolation", resolve);
  document.body.append(script);
});
"""


@pytest.mark.parametrize("path", ["/chat/", "/chat/room1/", "/accounts/signup/", "/accounts/login/", "/accounts/name/"])
def test_pages_of_the_chat_obey_the_content_security_policy(browser: Chromium, site: str, path: str) -> None:
    browser.open(f"{site}{path}").find("main h1")


@pytest.mark.parametrize(("path", "status"), [("/chat/%20/", "400 (Bad Request)"), ("/nothing/", "404 (Not Found)")])
def test_error_pages_obey_the_content_security_policy(browser: Chromium, site: str, path: str, status: str) -> None:
    browser.open(f"{site}{path}").find("main h1")
    (complaint,) = browser.complaints()
    assert status in complaint


# Monaco does this by style elements and by styles in its HTML: colours of tokens, places of lines, the cursor.
STYLED = """
    const tokens = document.querySelectorAll(".graphiql-query-editor .view-line [class^=mtk]");
    const places = Array.from(document.querySelectorAll(".graphiql-query-editor .view-line"), (line) => line.offsetTop);
    const { offsetWidth, offsetHeight } = document.querySelector(".graphiql-query-editor .cursor");
    return {
        colors: new Set(Array.from(tokens, (token) => getComputedStyle(token).color)).size > 2,
        lines: new Set(places).size === places.length && places.length > 2,
        cursor: offsetWidth > 0 && offsetHeight > 10,
    };
"""


def test_graphiql_in_use_obeys_the_content_security_policy(browser: Chromium, site: str) -> None:
    enter(browser, site, "room1").say("hello")
    window = browser.open(f"{site}/graphql")
    graphiql = GraphiQLWindow(window, "History")
    graphiql.execute()
    graphiql.show("lastOffset")
    for label, panel in [
        ("Show Documentation Explorer", ".graphiql-doc-explorer"),
        ("Show History", ".graphiql-history"),
        ("Show GraphiQL Explorer", ".docExplorerWrap"),
    ]:
        window.click(f"[aria-label='{label}']")
        window.find(panel)
    window.click(EDITOR)
    assert window.run(STYLED) == {"colors": True, "lines": True, "cursor": True}
    window.press(Keys.CONTROL, "a")
    window.type("query { r")
    window.find(".suggest-widget .monaco-list-row", "room")
    window.type(Keys.ESCAPE, "nope }")
    errors = "return document.querySelectorAll('.graphiql-query-editor .squiggly-error').length"
    window.until(lambda: window.run(errors), "underlines the error")
    window.click("[aria-label='Open settings dialog']")
    window.find("[role=dialog]", "Theme")


def test_admin_obeys_the_content_security_policy(browser: Chromium, site: str) -> None:
    window = browser.open(f"{site}/accounts/signup/?next=/chat/room1/")
    window.fill_in(username="root", password1="a long and unlikely one", password2="a long and unlikely one")
    RoomWindow(window).connect().say("hello")
    get_user_model().objects.update(is_staff=True, is_superuser=True)
    window.go(f"{site}/admin/")
    window.find("#user-tools")
    addresses = window.run("return Array.from(document.querySelectorAll('#content-main a'), (link) => link.href)")
    assert f"{site}/admin/chat/message/" in addresses
    for address in dict.fromkeys(addresses):
        window.go(address)
        window.find("#content h1")
        first = window.run("return document.querySelector('#result_list th a')?.href")
        if first:
            window.go(first)
            window.find("#content h1")


@pytest.mark.parametrize("injected", INJECTED)
@pytest.mark.parametrize("path", ["/chat/room1/", "/accounts/login/", "/graphql"])
def test_injected_html_runs_no_script(browser: Chromium, site: str, path: str, injected: str) -> None:
    window = browser.open(f"{site}{path}")
    window.find("main h1, .graphiql-container")

    window.run(INJECT, injected)

    complaints: list[str] = []
    window.until(lambda: complaints.extend(browser.complaints()) or complaints, "complains")
    assert all("Content Security Policy" in complaint for complaint in complaints)
    assert window.run("return window.ran") is None


@pytest.mark.parametrize("path", ["/chat/room1/", "/accounts/login/", "/graphql"])
def test_pages_run_scripts_of_the_site_only(browser: Chromium, site: str, path: str) -> None:
    window = browser.open(f"{site}{path}")
    window.find("main h1, .graphiql-container")
    for script in [{"textContent": "window.ran = 1"}, {"src": "data:text/javascript,window.ran = 1"}]:
        window.run(SCRIPT, script)
        assert window.run("return window.ran") is None
        assert all("Content Security Policy" in complaint for complaint in browser.complaints())
    window.run(SCRIPT, {"src": "/static/graphiql/bundle/worker.js"})
    assert window.run("return typeof onmessage") == "function"
