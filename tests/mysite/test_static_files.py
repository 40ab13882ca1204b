"""Static files over HTTP, as the whole site answers for them."""

import gzip
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from asgiref.typing import ASGIReceiveCallable, ASGISendCallable, Scope
from channels.testing import HttpCommunicator
from pytest_django import Settings

from mysite.asgi import application
from mysite.static_files import StaticFiles
from setup.assets import BUNDLE
from tests.servers import ROOT

HOST = "chat.example.org"


@pytest.fixture(autouse=True)
def hosts(settings: Settings) -> None:
    settings.ALLOWED_HOSTS = [HOST]


async def get(
    path: str, *, method: str = "GET", to: Any = application, **headers: str
) -> tuple[int, dict[str, str], bytes]:
    sent = [(name.replace("_", "-").encode(), value.encode()) for name, value in ({"host": HOST} | headers).items()]
    answer = await HttpCommunicator(to, method, path, b"", sent).get_response(timeout=5)
    return answer["status"], {name.decode(): value.decode() for name, value in answer["headers"]}, answer["body"]


async def test_file_is_sent_with_the_sites_security_headers_and_is_to_be_asked_for_again() -> None:
    status, headers, body = await get("/static/site.css")
    assert (status, headers["content-type"]) == (200, 'text/css; charset="utf-8"')
    assert b"--ground" in body
    assert headers["cache-control"] == "max-age=0, public"
    assert headers["x-content-type-options"] == "nosniff"
    assert "frame-ancestors 'none'" in headers["content-security-policy"]


async def test_file_is_not_sent_again_to_a_browser_that_has_it() -> None:
    _, first, _ = await get("/static/site.css")
    status, _, body = await get("/static/site.css", if_none_match=first["etag"])
    assert (status, body) == (304, b"")


async def test_head_tells_the_length_alone() -> None:
    _, _, content = await get("/static/site.css")
    status, headers, body = await get("/static/site.css", method="HEAD")
    assert (status, int(headers["content-length"]), body) == (200, len(content), b"")


@pytest.fixture
def changing() -> Iterator[tuple[StaticFiles, Path]]:
    """Static files that know one more, which isn't there any more after the test."""
    path = ROOT / "static" / f"changing-{os.getpid()}.css"
    path.write_text("a { color: red }")
    try:
        yield StaticFiles(nothing), path
    finally:
        path.unlink(missing_ok=True)


async def nothing(scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
    await send({"type": "http.response.start", "status": 404, "headers": [], "trailers": False})
    await send({"type": "http.response.body", "body": b"", "more_body": False})


async def test_file_that_changes_under_a_running_site_is_sent_whole_and_as_it_is(
    changing: tuple[StaticFiles, Path],
) -> None:
    files, path = changing

    async def ask(**headers: str) -> tuple[int, dict[str, str], bytes]:
        return await get(f"/static/{path.name}", to=files, **headers)

    _, before, _ = await ask()
    for text in ("a { color: blue; margin: 0 }", "a {}"):
        path.write_text(text)
        status, headers, body = await ask(if_none_match=before["etag"])
        assert (status, body, headers["content-length"]) == (200, text.encode(), str(len(text)))
    path.unlink()
    assert (await ask())[0] == 404
    path.write_text("b {}")
    assert (await ask())[2] == b"b {}"


async def test_graphiqls_bundle_is_sent_compressed_and_as_what_it_is() -> None:
    for name, content_type, encoding in [
        ("graphiql.js", 'text/javascript; charset="utf-8"', "gzip"),
        ("worker.js", 'text/javascript; charset="utf-8"', "gzip"),
        ("graphiql.css", 'text/css; charset="utf-8"', "gzip"),
        ("codicon.ttf", "font/ttf", None),
    ]:
        status, headers, body = await get(f"/static/graphiql/bundle/{name}", accept_encoding="gzip, br")
        sent = gzip.decompress(body) if encoding else body
        assert (status, headers["content-type"], headers.get("content-encoding")) == (200, content_type, encoding)
        assert sent == (BUNDLE / name).read_bytes()


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/static/site.css", {"origin": "https://elsewhere.example"}, 200),  # nothing in it is the visitor's
        ("/static/site.css", {"sec_fetch_site": "cross-site"}, 200),
        ("/static/site.css", {"host": "elsewhere.example"}, 400),
        ("/static/admin/css/base.css", {}, 200),  # from an app's folder
        ("/static/nothing.css", {}, 404),
        ("/static/", {}, 404),
        ("/static/chat", {}, 404),
        ("/static/../manage.py", {}, 404),
        ("/static/%2e%2e/manage.py", {}, 404),
        ("/static//etc/passwd", {}, 404),
        ("/static/a\x00b", {}, 404),
    ],
)
async def test_only_static_files_are_sent(db: None, path: str, headers: dict[str, str], status: int) -> None:
    answered, _, _ = await get(path, **headers)
    assert answered == status
