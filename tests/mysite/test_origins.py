import logging

import pytest
from channels.testing import WebsocketCommunicator
from pytest_django import Settings

from mysite.asgi import application
from mysite.origins import is_ours

HOST = "chat.example.org"


@pytest.fixture(autouse=True)
def hosts(settings: Settings) -> None:
    settings.ALLOWED_HOSTS = [HOST, ".example.com", "[::1]"]
    settings.CSRF_TRUSTED_ORIGINS = ["https://friend.example.net:8443", "https://*.friends.example"]


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        (f"https://{HOST}", HOST),
        (f"https://{HOST}", f"{HOST}:443"),
        (f"https://{HOST}", "10.0.0.7:8000"),
        (f"http://{HOST}:8000", f"{HOST}:8000"),
        (f"http://{HOST}:8000", ""),
        ("https://CHAT.example.ORG", HOST),
        (f"https://{HOST}:8443", "CHAT.example.ORG:8443"),
        ("https://example.com", "example.com"),
        ("https://a.b.example.com", "a.b.example.com"),
        ("http://[::1]:8000", "[::1]:8000"),
        ("https://friend.example.net:8443", HOST),
        ("https://a.friends.example", HOST),
    ],
)
def test_is_ours_accepts_the_origins_of_the_site_and_of_trusted_sites(origin: str, host: str) -> None:
    assert is_ours(origin, host)


@pytest.mark.parametrize(
    "origin",
    [
        "null",
        "NULL",
        "file://",
        "https://",
        "nonsense",
        "http://[",
        "http://[::1",
        "http://[::1]:9000",
        "http://[::2]",
        "http://[::ffff:127.0.0.1]",
        f"https://{HOST}:8000",
        f"http://{HOST}:9000",
        f"https://{HOST}:80",
        f"chrome-extension://{HOST}",
        f"ftp://{HOST}",
        HOST,
        f"//{HOST}",
        f"https://evil.example:443@{HOST}",
        f"https://{HOST}\\.evil.example",
        f"https://{HOST}#.evil.example",
        f"https://evil.example?{HOST}",
        f"https://{HOST}%2eevil.example",
        f"https://{HOST} https://evil.example",
        f"https://{HOST}, https://evil.example",
        "https://chat\u0131.example.org",
        f"https://{HOST}.evil.example",
        f"https://evil.example/{HOST}",
        f"https://{HOST}@evil.example",
        "https://notexample.com",
        "http://friend.example.net:8443",
        "https://friend.example.net",
        "https://friends.example.evil",
        "http://127.0.0.1:99999999",
    ],
)
def test_is_ours_rejects_any_other_origin(origin: str) -> None:
    assert not is_ours(origin, HOST)
    assert not is_ours(origin, f"{HOST}:8443")


def test_is_ours_accepts_an_origin_under_a_wildcard_host_only_for_that_same_host() -> None:
    assert is_ours("https://a.example.com", "a.example.com")
    assert not is_ours("https://evil.example.com", "a.example.com")
    assert not is_ours("https://evil.example.com", HOST)
    assert not is_ours("https://example.com", "a.example.com")


def test_is_ours_rejects_plain_http_origins_when_the_site_is_https_only(settings: Settings) -> None:
    assert is_ours(f"http://{HOST}", HOST)
    settings.SECURE_SSL_REDIRECT = True
    assert not is_ours(f"http://{HOST}", HOST)
    assert is_ours(f"https://{HOST}", HOST)


def test_is_ours_compares_origin_and_host_when_any_host_is_allowed(settings: Settings) -> None:
    settings.ALLOWED_HOSTS = ["*"]
    assert is_ours("http://10.0.0.7:8000", "10.0.0.7:8000")
    assert not is_ours("http://10.0.0.7:9000", "10.0.0.7:8000")
    assert not is_ours("https://evil.example", "10.0.0.7:8000")


@pytest.mark.parametrize("path", ["/ws/chat/room1/", "/graphql"])
async def test_websocket_from_a_foreign_origin_is_refused_at_both_doors_and_logged(
    path: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "mysite.origins"):
        socket = WebsocketCommunicator(application, path, [(b"origin", b"https://evil.example")])
        assert await socket.connect() == (False, 1000)
    assert "https://evil.example" in caplog.text


@pytest.mark.parametrize("headers", [[], [(b"origin", b"https://chat.example.org")]])
async def test_websocket_from_the_sites_own_page_or_a_program_is_accepted(open_chat, headers: list) -> None:
    await open_chat("/ws/chat/room1/", headers=headers)


@pytest.mark.parametrize("path", ["/", "/ws/", "/ws/chat/", "/ws/chat/room1", "/graphql/more", "/nope"])
async def test_websocket_to_an_unknown_path_is_refused_without_a_log_line(
    path: str, caplog: pytest.LogCaptureFixture
) -> None:
    socket = WebsocketCommunicator(application, path)
    assert await socket.connect() == (False, 1000)
    await socket.wait()
    assert caplog.records == []
