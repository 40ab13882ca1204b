"""Pages of other sites in the browser of a logged-in user: all their requests are refused."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from chat.models import Message
from tests.browser.chromium import Chromium
from tests.browser.room_window import enter
from tests.browser.window import Window

SAY = 'mutation { sendChatMessage(message: "forged", room: {roomName: "room1"}) }'
# Attempts on the site at `site`: functions whose promises are fulfilled by "refused" or by the outcome.
ATTEMPTS = """
const query = %s;
const json = JSON.stringify({ query });

const socket = (path, protocol, ...frames) => new Promise((resolve) => {
  const socket = new WebSocket(site.replace("http", "ws") + path, protocol);
  socket.onopen = () => frames.forEach((frame) => socket.send(JSON.stringify(frame)));
  socket.onmessage = ({ data }) => resolve(data);
  socket.onclose = ({ code }) => resolve(code === 1006 ? "refused" : `closed ${code}`);
});
// Where an answer can be read, it is; where it can't, the database tells what was done.
const ask = (options, address = "/graphql") =>
  fetch(site + address, { credentials: "include", ...options }).then(
    async (answer) => (answer.type === "opaque" ? "refused" : `${answer.status} ${await answer.text()}`),
    () => "refused",
  );
const post = (type, body, mode) => ask({ method: "POST", body, mode, headers: type ? { "Content-Type": type } : {} });
const form = (enctype, name, value) => new Promise((resolve) => {
  const frame = Object.assign(document.createElement("iframe"), { name: `frame${Math.random()}` });
  const form = Object.assign(document.createElement("form"), {
    action: `${site}/graphql`, method: "post", enctype, target: frame.name,
  });
  form.append(Object.assign(document.createElement("input"), { name, value }));
  document.body.append(frame, form);
  frame.onload = () => resolve("refused");
  form.submit();
});
const image = (path) => new Promise((resolve) => {
  Object.assign(new Image(), { src: site + path, onload: () => resolve("loaded"), onerror: () => resolve("refused") });
});

const start = { id: "1", payload: { query } };
const attempts = {
  "the chat's socket": () => socket("/ws/chat/room1/", [], { message: "forged" }),
  "a socket of GraphQL": () => socket(
    "/graphql", "graphql-transport-ws", { type: "connection_init" }, { type: "subscribe", ...start },
  ),
  "an older socket of GraphQL": () => socket(
    "/graphql", "graphql-ws", { type: "connection_init" }, { type: "start", ...start },
  ),
  "JSON": () => post("application/json", json, "cors"),
  "JSON as text": () => post("text/plain", json, "no-cors"),
  "JSON as text, to be read": () => post("text/plain", json, "cors"),
  "JSON as nothing": () => post("", new Blob([json]), "no-cors"),
  "a form by script": () => post("application/x-www-form-urlencoded", new URLSearchParams({ query }), "no-cors"),
  "a form with files by script": () => {
    const data = new FormData();
    data.append("operations", json);
    data.append("map", "{}");
    return post("", data, "no-cors");
  },
  "a beacon": () => navigator.sendBeacon(`${site}/graphql`, new Blob([json], { type: "text/plain" })) && "refused",
  "a form": () => form("application/x-www-form-urlencoded", "query", query),
  "a form of text": () => form("text/plain", `{"query": ${JSON.stringify(query)}, "x": "`, '"}'),
  "a form with files": () => form("multipart/form-data", "operations", json),
  "a mutation by GET": () => ask({ mode: "no-cors" }, `/graphql?query=${encodeURIComponent(query)}`),
  "a query by GET": () => ask({ mode: "cors" }, `/graphql?query=${encodeURIComponent("{ me { name } }")}`),
  "an image": () => image(`/graphql?query=${encodeURIComponent(query)}`),
};
"""
ATTEMPTS %= json.dumps(SAY)
RUN = (
    "const site = arguments[0];"
    + ATTEMPTS
    + """
const results = {};
for (const [name, attempt] of Object.entries(attempts)) results[name] = await attempt();
return results;
"""
)
# The same from within a frame that has no origin at all.
RUN_SANDBOXED = """
const [site, attempts] = arguments;
return new Promise((resolve) => {
  addEventListener("message", ({ data }) => resolve(data));
  const frame = Object.assign(document.createElement("iframe"), { sandbox: "allow-scripts allow-forms" });
  frame.srcdoc = `<body><script>
    const site = ${JSON.stringify(site)};
    ${attempts}
    (async () => {
      const results = {};
      for (const [name, attempt] of Object.entries(attempts)) results[name] = await attempt();
      parent.postMessage(results, "*");
    })();
  </script>`;
  document.body.append(frame);
});
"""


class Elsewhere(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = b"<!doctype html><title>Elsewhere</title><p>Look, a kitten!</p>"
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def another_site() -> Iterator[int]:
    """The port of it."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Elsewhere) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


@pytest.fixture
def elsewhere() -> Iterator[int]:
    with another_site() as port:
        yield port


def log_in(browser: Chromium, site: str) -> Window:
    window = browser.open(f"{site}/accounts/signup/")
    window.fill_in(username="zoe", password1="a long and unlikely one", password2="a long and unlikely one")
    window.find(".account .person", "zoe")
    return window


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"], ids=["another port", "another site"])
@pytest.mark.parametrize("sandboxed", [False, True], ids=["", "without an origin"])
def test_requests_from_a_page_of_another_origin_are_all_refused(
    browser: Chromium, site: str, elsewhere: int, host: str, sandboxed: bool
) -> None:
    log_in(browser, site)
    page = browser.open(f"http://{host}:{elsewhere}/")

    results = page.run(RUN_SANDBOXED, site, ATTEMPTS) if sandboxed else page.run(RUN, site)

    assert len(results) == 16
    assert set(results.values()) == {"refused"}, results
    assert Message.objects.count() == 0
    browser.complaints()  # of what it was refused


def test_requests_from_a_page_of_the_site_itself_succeed(browser: Chromium, site: str) -> None:
    log_in(browser, site)
    room = enter(browser, site, "room1")
    results = room.window.run(RUN, site)
    posted = ["the chat's socket", "a socket of GraphQL", "an older socket of GraphQL", "JSON"]
    assert [name for name in posted if results[name] == "refused"] == []
    room.hear("forged")
    assert Message.objects.count() == len(posted)
    assert "zoe" in results["a query by GET"]
    browser.complaints()


@pytest.mark.parametrize("path", ["/chat/room1/", "/accounts/login/", "/admin/login/", "/graphql"])
def test_pages_can_not_be_framed_by_another_site(browser: Chromium, site: str, elsewhere: int, path: str) -> None:
    page = browser.open(f"http://localhost:{elsewhere}/")
    show = "const frame = document.createElement('iframe'); frame.src = arguments[0]; document.body.append(frame)"
    load = f"return new Promise((resolve) => {{ {show}; frame.onload = () => resolve(frame) }})"
    for address, shown in [(f"http://localhost:{elsewhere}/", True), (site + path, False)]:
        page.driver.switch_to.frame(page.run(load, address))
        assert page.run("return document.title === 'Elsewhere'") is shown
        assert page.run("return document.querySelectorAll('input, textarea, #graphiql').length") == 0
        page.driver.switch_to.default_content()
    browser.complaints()


def test_links_from_another_site_open_the_pages(browser: Chromium, site: str, elsewhere: int) -> None:
    page = browser.open(f"http://localhost:{elsewhere}/")
    for path, selector in [("/chat/", "#room-name-input"), ("/graphql", ".graphiql-container")]:
        page.go(f"http://localhost:{elsewhere}/")
        page.run("location.href = arguments[0]", site + path)
        page.find(selector)
