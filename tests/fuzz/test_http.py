"""HTTP requests to GraphQL and to every page."""

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, unquote, urlencode

from hypothesis import strategies as st

from tests.fuzz.documents import ROOM, payloads
from tests.fuzz.room import Room
from tests.fuzz.text import json_of, texts, values

CSRF = "a" * 32
bytes_of_a_line = st.binary(max_size=20).map(lambda some: bytes(byte for byte in some if byte not in b"\r\n\0"))
header_values = bytes_of_a_line | texts.map(lambda text: text.encode(errors="replace").translate(None, b"\r\n\0"))

COOKIES = [b"sessionid", b"csrftoken", b"messages", b"chat", b'"', b";;=", b"\xff"]
cookies = st.lists(st.tuples(st.sampled_from(COOKIES), header_values).map(b"=".join), max_size=3).map(b"; ".join)
ACCEPTED = [b"text/html", b"application/json;q=\xff", b"*/*", b",;,", b"text/event-stream"]
headers = st.fixed_dictionaries(
    {},
    optional={
        b"cookie": cookies.map(lambda some: some + b"; csrftoken=" + CSRF.encode()),
        b"host": st.sampled_from([b"127.0.0.1", b"localhost:8000"]) | header_values,
        b"origin": st.sampled_from([b"http://127.0.0.1", b"null", b"http://[", b"https://\xff"]) | header_values,
        b"referer": st.sampled_from([b"http://127.0.0.1/", b"//", b"http://["]) | header_values,
        b"accept": st.sampled_from([b"text/html", b"application/json;q=\xff", b"*/*", b",;,", b"text/event-stream"])
        | header_values,
        b"accept-language": st.sampled_from([b"de-DE, de;q=0.5", b"x" * 600]) | header_values,
        b"content-length": st.sampled_from([b"0", b"-1", b"9" * 30, b"a", b"1e3"]),
        b"if-modified-since": st.sampled_from([b"Thu, 01 Jan 9999999999 00:00:00 GMT", b"now"]) | header_values,
        b"range": st.sampled_from([b"bytes=0-1", b"bytes=9-1", b"bytes=-9" + b"9" * 30, b"lines=1"]) | header_values,
        b"last-event-id": st.sampled_from([b"0123456789abcdef:1:", b"x", b",,:"]) | header_values,
        b"sec-fetch-site": st.sampled_from([b"same-origin", b"cross-site"]) | header_values,
        b"x-forwarded-for": header_values,
        b"x-forwarded-proto": header_values,
    },
)
JSON = b"application/json"
content_types = st.sampled_from(
    [JSON, JSON, JSON, b"application/graphql-response+json", b"application/graphql", b"text/plain", b"multipart/mixed"]
    + [b"application/x-www-form-urlencoded", b"multipart/form-data; boundary=x", b"multipart/form-data", b"/;=;,"]
    + [b"application/json; charset=\xff", b"application/json; charset=utf-16", b"application/json; charset=nope"]
)
methods = st.sampled_from(
    ["GET", "POST", "POST", "HEAD", "OPTIONS", "PUT", "PATCH", "DELETE", "TRACE", "CONNECT", "BREW"]
)
queries = st.dictionaries(
    st.sampled_from(["query", "variables", "operationName", "extensions", "after", "next", "q", "_popup"]) | texts,
    texts | json_of(values),
    max_size=3,
).map(lambda fields: urlencode(fields, errors="replace").encode())

operations = json_of(payloads | values | st.lists(payloads, max_size=3)).map(lambda text: text.encode(errors="replace"))
FIELDS = [
    "username",
    "email",
    "password",
    "password1",
    "password2",
    "name",
    "next",
    "csrfmiddlewaretoken",
    "usable_password",
]
forms = st.dictionaries(st.sampled_from(FIELDS), texts, max_size=6).map(
    lambda fields: urlencode({"csrfmiddlewaretoken": CSRF, **fields}, errors="replace").encode()
)
multipart = st.builds(
    lambda name, content: (
        b'--x\r\nContent-Disposition: form-data; name="' + name + b'"\r\n\r\n' + content + b"\r\n--x--"
    ),
    st.sampled_from([b"operations", b"map", b"0", b"name", b'a"; filename="b']),
    operations | forms,
)
bodies = operations | forms | multipart | st.binary(max_size=60)

PAGES = ["", "chat/", f"chat/{ROOM}/", "accounts/login/", "accounts/signup/", "accounts/name/", "accounts/logout/"]
PAGES += [
    "invitations/x/",
    "rooms/invitations/",
    "accounts/login/link/",
    "accounts/login/link/x/",
    "accounts/login/provider/",
    "accounts/login/provider/callback/",
]
PAGES += [
    f"chat/{ROOM}/events/",
    "admin/",
    "admin/login/",
    "static/",
    "static/site.css",
    "graphql",
    "livez",
    "readyz",
    "metrics",
    "ws/chat/a/",
]
ODD_PATHS = [
    "%2e%2e/",
    "..%2f..%2fmysite/settings.py",
    "%00",
    "%0d%0aA:b",
    "//evil.example",
    "%ff%fe",
    "%",
    "a%2Fb/",
    "\\",
]
paths = st.builds(
    lambda page, rest: f"/{page}{rest}",
    st.sampled_from(PAGES),
    st.sampled_from(["", "", *ODD_PATHS]) | texts.map(lambda text: quote(text, safe="/", errors="replace")),
)


def test_graphql_answers_any_request_below_500(transactional_db: None, assail: Callable[..., None]) -> None:
    request = {
        "method": st.sampled_from(["POST", "POST", "POST", "GET"]),
        "path": st.sampled_from(["/graphql", "/graphql/"]),
    }
    assail_requests(assail, 600, content_types, body=operations, headers=headers, query_string=queries, **request)


def test_graphql_answers_any_operation_below_500(transactional_db: None, assail: Callable[..., None]) -> None:
    request = {"method": st.just("POST"), "path": st.just("/graphql"), "headers": st.just({})}
    bodies = payloads.map(lambda payload: json.dumps(payload).encode())
    assail_requests(assail, 600, st.just(JSON), body=bodies, query_string=st.just(b""), **request)


def test_pages_answer_any_request_below_500(transactional_db: None, assail: Callable[..., None]) -> None:
    request = {"method": methods, "path": paths}
    assail_requests(assail, 900, content_types, body=bodies, headers=headers, query_string=queries, **request)


def assail_requests(
    assail: Callable[..., None], share: int, content_types: st.SearchStrategy[bytes], **parts: st.SearchStrategy[Any]
) -> None:
    with Room() as room:

        def strike(request: dict[str, Any]) -> None:
            named = {b"content-type": request.pop("content_type"), **request.pop("headers")}
            path = unquote(request["path"], errors="replace")
            answer = room.runner.run(
                room.request(
                    **request | {"path": path, "raw_path": request["path"].encode()},
                    headers=list(named.items()),
                    scheme="http",
                    client=("127.0.0.1", 12345),
                    server=("127.0.0.1", 8000),
                )
            )
            assert answer["status"] < 500, answer

        assail(strike, share, st.fixed_dictionaries({**parts, "content_type": content_types}))
