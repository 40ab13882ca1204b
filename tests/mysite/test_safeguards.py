"""Django's safeguards (hosts, HTTPS, CSRF, headers, cookies) for GraphQL over HTTP, which bypasses its middleware."""

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest
from channels.testing import HttpCommunicator
from django.test import Client
from pytest_django import Settings

from mysite.asgi import application
from mysite.safeguards import Safeguards
from tests.gqlchat.transport.test_http import ECHO

HOST = "chat.example.org"
QUERY = f"/graphql?query={quote('{ me { id } }')}"
HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "x-frame-options": "DENY",
}


@pytest.fixture(autouse=True)
def hosts(settings: Settings) -> None:
    settings.ALLOWED_HOSTS = [HOST]


@pytest.fixture
def posted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The texts of all posts."""
    texts: list[str] = []

    async def post(*, message: str, **_: Any) -> None:
        texts.append(message)

    monkeypatch.setattr("chat.actions.posting.post", post)
    return texts


class Answer:
    def __init__(self, response: dict[str, Any]) -> None:
        self.status = response["status"]
        self.headers = {name.decode().lower(): value.decode() for name, value in response["headers"]}
        self.body = response["body"]


async def ask(path: str = "/graphql", *, method: str = "GET", body: bytes = b"", **headers: str) -> Answer:
    headers = {"host": HOST, "accept": "text/html"} | headers
    sent = [(name.replace("_", "-").encode(), value.encode("latin1")) for name, value in headers.items()]
    return Answer(await HttpCommunicator(application, method, path, body, sent).get_response(timeout=5))


async def say(**headers: str) -> Answer:
    body = json.dumps({"query": ECHO}).encode()
    return await ask(method="POST", body=body, **{"content_type": "application/json", **headers})


# Hosts


@pytest.mark.parametrize(
    "host", ["evil.example", f"{HOST}.evil.example", f"evil.example@{HOST}", "[::1", "a b", "\xff"]
)
async def test_graphql_request_for_a_host_that_is_not_allowed_is_refused(host: str, posted: list[str]) -> None:
    answer = await say(host=host)
    assert (answer.status, answer.headers["content-type"], posted) == (400, "application/json", [])
    assert (await ask(host=host)).status == 400


async def test_graphql_request_for_an_allowed_host_is_answered_whatever_its_port(posted: list[str]) -> None:
    for host in [HOST, f"{HOST}:8000", HOST.upper()]:
        assert (await say(host=host)).status == 200
    assert len(posted) == 3


async def test_graphql_request_without_a_host_is_answered(posted: list[str]) -> None:
    body = json.dumps({"query": ECHO}).encode()
    request = HttpCommunicator(application, "POST", "/graphql", body, [(b"content-type", b"application/json")])
    assert (await request.get_response(timeout=5))["status"] == 200
    assert posted == ["hello room 1"]


# HTTPS


@pytest.fixture
def https_only(settings: Settings) -> Callable[..., Any]:
    """`await https_only("https", b"a=b")`: how GraphQL's route answers where the site is HTTPS only."""
    settings.SECURE_SSL_REDIRECT = True
    settings.SECURE_HSTS_SECONDS = 31_536_000
    settings.SECURE_HSTS_INCLUDE_SUBDOMAINS = settings.SECURE_HSTS_PRELOAD = True

    async def inside(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"inside"})

    async def answer(scheme: str, query_string: bytes = b"") -> Answer:
        request = HttpCommunicator(Safeguards(inside), "GET", "/graphql", headers=[(b"host", HOST.encode())])
        request.scope |= {"scheme": scheme, "query_string": query_string}
        return Answer(await request.get_response(timeout=5))

    return answer


async def test_graphql_over_plain_http_is_redirected_when_the_site_is_https_only(
    https_only: Callable[..., Any],
) -> None:
    answer = await https_only("http", b"query=%7B__typename%7D")
    assert (answer.status, answer.headers["location"]) == (301, f"https://{HOST}/graphql?query=%7B__typename%7D")
    answer = await https_only("https")
    assert (answer.status, answer.body) == (200, b"inside")
    assert answer.headers["strict-transport-security"] == "max-age=31536000; includeSubDomains; preload"


async def test_query_string_that_is_no_utf8_passes_the_safeguards(https_only: Callable[..., Any]) -> None:
    assert (await https_only("https", b"query=\xff")).status == 200


# Pages of other sites


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": f"https://{HOST}:8443"},
        {"origin": f"https://evil.{HOST}"},
        {"origin": "https://evil.example", "sec_fetch_site": "same-origin"},
        {"sec_fetch_site": "cross-site"},
        {"sec_fetch_site": "cross-site", "sec_fetch_mode": "navigate"},
    ],
)
async def test_graphql_post_from_a_page_of_another_site_is_refused(headers: dict[str, str], posted: list[str]) -> None:
    answer = await say(**headers)
    assert (answer.status, posted) == (403, [])
    assert "errors" in json.loads(answer.body)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"origin": f"https://{HOST}"},
        {"origin": f"https://{HOST}", "sec_fetch_site": "same-origin"},
        {"origin": "https://friend.example:8443", "sec_fetch_site": "cross-site"},
        {"sec_fetch_site": "same-origin"},
        {"sec_fetch_site": "none"},
    ],
)
async def test_graphql_post_from_a_program_or_an_own_or_trusted_page_is_accepted(
    headers: dict[str, str], posted: list[str], settings: Settings
) -> None:
    settings.CSRF_TRUSTED_ORIGINS = ["https://friend.example:8443"]
    assert (await say(**headers)).status == 200
    assert posted == ["hello room 1"]


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        (QUERY, {"sec_fetch_site": "cross-site", "sec_fetch_mode": "no-cors"}, 403),
        (QUERY, {"sec_fetch_site": "cross-site", "sec_fetch_mode": "navigate"}, 403),
        (QUERY, {"origin": "https://evil.example"}, 403),
        ("/graphql", {"sec_fetch_site": "cross-site", "sec_fetch_mode": "no-cors"}, 403),
        ("/graphql", {"sec_fetch_site": "cross-site", "sec_fetch_mode": "navigate"}, 200),
        (QUERY, {"sec_fetch_site": "same-origin", "sec_fetch_mode": "cors"}, 200),
        (QUERY, {"sec_fetch_site": "none", "sec_fetch_mode": "navigate"}, 200),
        (QUERY, {}, 200),
    ],
)
async def test_graphql_get_from_another_site_may_open_graphiql_but_run_no_query(
    path: str, headers: dict[str, str], status: int
) -> None:
    assert (await ask(path, **headers)).status == status


# Headers


def policy(headers: dict[str, str]) -> dict[str, str]:
    """The content security policy, by directive."""
    return dict(directive.split(maxsplit=1) for directive in headers["content-security-policy"].split(";"))


@pytest.mark.parametrize("path", ["/graphql", QUERY, "/graphql?query=%7B"])
async def test_graphql_answers_have_djangos_security_headers(path: str) -> None:
    for more in [{}, {"origin": "https://evil.example"}, {"host": "evil.example"}]:
        answer = await ask(path, **more)
        assert HEADERS.items() <= answer.headers.items()
        assert policy(answer.headers).items() >= {"script-src": "'self'", "frame-ancestors": "'none'"}.items()


@pytest.mark.parametrize("path", ["/chat/", "/chat/room1/", "/admin/login/", "/accounts/login/", "/nope"])
def test_django_pages_have_security_headers_and_a_strict_policy(client: Client, db: None, path: str) -> None:
    answer = client.get(path, headers={"host": HOST})
    headers = {name.lower(): value for name, value in answer.headers.items()}
    assert HEADERS.items() <= headers.items()
    assert policy(headers).items() >= {"script-src": "'self'", "style-src": "'self'"}.items()
    assert "unsafe" not in headers["content-security-policy"]


def test_favicon_redirects_to_the_static_icon(client: Client) -> None:
    assert client.get("/favicon.ico", headers={"host": HOST}).headers["location"] == "/static/favicon.svg"


async def test_graphql_answers_are_not_cached() -> None:
    assert (await ask(QUERY, accept="application/json")).headers["cache-control"] == "no-store"


# Cookies


@pytest.mark.parametrize("https", [False, True])
async def test_session_cookie_of_graphql_is_httponly_samesite_and_secure_over_https(
    settings: Settings, https: bool
) -> None:
    settings.SESSION_COOKIE_SECURE = https
    cookie = (await ask(QUERY, accept="application/json")).headers["set-cookie"]
    attributes = {part.strip().lower() for part in cookie.split(";")}
    assert {"httponly", "samesite=lax"} <= attributes
    assert ("secure" in attributes) is https


@pytest.mark.parametrize("https", [False, True])
def test_cookies_of_pages_are_samesite_and_secure_over_https(
    client: Client, db: None, settings: Settings, https: bool
) -> None:
    settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = https
    client.get("/chat/room1/", headers={"host": HOST})
    client.get("/accounts/login/", headers={"host": HOST})
    session, token = client.cookies["sessionid"], client.cookies["csrftoken"]
    assert (session["httponly"], session["samesite"], bool(session["secure"])) == (True, "Lax", https)
    assert (token["samesite"], bool(token["secure"])) == ("Lax", https)
