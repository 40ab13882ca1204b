"""Requests to hosts that strangers name."""

import asyncio
import gzip
import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest
from pytest_django import Settings

from chat.outgoing import client as module
from chat.outgoing import resolver
from chat.outgoing.client import Client, OutgoingError, Refused, TooLarge, Unreachable, checked
from tests.hosts import Host, http, redirect, running_host

LIMIT = 100_000  # bytes

NO_URLS_OF_THE_WEB = [
    *(
        "",
        "example",
        "//example.org/",
        "/etc/passwd",
        "http://",
        "http:///path",
        "https://:443/",
        "http://[::1",
        "http://a:b/",
    ),
    *("file:///etc/passwd", "file://localhost/etc/passwd", "gopher://example.org:70/_x", "ftp://example.org/x"),
    *(
        "data:text/html,hello",
        "javascript:alert(1)",
        "dict://127.0.0.1:11211/stat",
        "unix:///run/docker.sock",
        "ws://example.org/",
    ),
    *("http://user@example.org/", "http://user:password@example.org/", "http://:password@example.org/"),
    "http://example.org/" + "x" * 2000,
]
# Each leads to this machine, by way of the system's own resolver where it is no plain address.
THIS_MACHINE = """127.0.0.1 127.1 2130706433 0x7f000001 0x7f.0.0.1 0177.0.0.1 0 0.0.0.0 localhost [::1] [::]
    [::ffff:127.0.0.1] [::ffff:7f00:1] [0:0:0:0:0:0:0:1] 127.0.0.1. ⑫7.0.0.1""".split()


@pytest.fixture
async def host() -> AsyncIterator[Host]:
    async with running_host() as host:
        yield host
    await Client.here().close()


@pytest.fixture
async def near_host(host: Host, settings: Settings) -> Host:
    """A host in a network that the site's owner has allowed."""
    settings.CHAT_OUTGOING_NETWORKS = ["127.0.0.0/8"]
    return host


async def fetch(url: str, **options: Any) -> module.Answer:
    return await Client.here().fetch(url, **{"limit": LIMIT, **options})


@pytest.mark.parametrize("url", NO_URLS_OF_THE_WEB)
def test_checked_refuses_what_is_no_url_of_the_web(url: str) -> None:
    with pytest.raises(Refused):
        checked(url)


async def test_fetch_connects_to_nothing_on_this_machine_by_default(host: Host) -> None:
    for name in THIS_MACHINE:
        with pytest.raises(OutgoingError):
            await fetch(host.url(name=name))
    assert host.requests == []


async def test_fetch_refuses_names_of_private_addresses(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resolver, "look_up", lambda *_: [found("10.0.0.1"), found("127.0.0.1")])
    with pytest.raises(Refused):
        await fetch("http://intranet.example/")


async def test_fetch_checks_the_address_that_it_connects_to_and_not_an_earlier_one(
    near_host: Host, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    addresses = iter(["127.0.0.1", "127.0.0.2"])
    settings.CHAT_OUTGOING_NETWORKS = ["127.0.0.1"]
    monkeypatch.setattr(resolver, "look_up", lambda _, port, __: [found(next(addresses), port)])
    monkeypatch.setattr(module, "NAMES_KEPT", 0)
    near_host.answers["/"] = http(b"first")
    assert (await fetch(near_host.url(name="rebinding.example"))).body == b"first"
    with pytest.raises(Refused):
        await fetch(near_host.url(name="rebinding.example"))
    assert len(near_host.requests) == 1


async def test_fetch_goes_to_the_public_address_of_a_name_that_has_a_private_one_too(
    near_host: Host, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.CHAT_OUTGOING_NETWORKS = ["127.0.0.1"]
    found_addresses = lambda _, port, __: [found("127.0.0.2", port), found("127.0.0.1", port)]  # noqa: E731
    monkeypatch.setattr(resolver, "look_up", found_addresses)
    near_host.answers["/"] = http(b"public")
    assert (await fetch(near_host.url(name="two.example"))).body == b"public"


async def test_fetch_answers_with_status_headers_and_body(near_host: Host) -> None:
    near_host.answers["/"] = http(b"hello", "Content-Type: text/plain")
    answer = await fetch(near_host.url())
    assert (answer.status, answer.headers["content-type"], answer.body) == (200, "text/plain", b"hello")
    assert answer.complete
    assert (await fetch(near_host.url("/none"))).status == 404


async def test_fetch_says_nothing_of_the_site_or_a_person(near_host: Host) -> None:
    near_host.answers["/"] = http(b"", "Set-Cookie: a=b")
    await fetch(near_host.url())
    await fetch(near_host.url())
    names = {line.split(b":")[0].lower() for line in near_host.requests[1].split(b"\r\n")[1:] if line}
    assert names == {b"host", b"user-agent", b"accept", b"accept-encoding"}


async def test_fetch_follows_redirects_and_says_where_it_ended(near_host: Host) -> None:
    near_host.answers |= {"/": redirect("/a"), "/a": redirect(near_host.url("/b?c=d")), "/b?c=d": http(b"there")}
    answer = await fetch(near_host.url())
    assert (answer.body, answer.url) == (b"there", near_host.url("/b?c=d"))


async def test_fetch_refuses_redirects_to_where_it_would_not_go(near_host: Host) -> None:
    for target in [
        "http://10.0.0.1/",
        "http://[::1]/",
        "file:///etc/passwd",
        "//user:password@127.0.0.1/",
        "gopher://x/",
        "http://[",
    ]:
        near_host.answers["/"] = redirect(target)
        with pytest.raises(Refused):
            await fetch(near_host.url())


async def test_fetch_gives_up_endless_redirects(near_host: Host) -> None:
    near_host.answers["/"] = redirect("/")
    with pytest.raises(Refused):
        await fetch(near_host.url())
    assert len(near_host.requests) == module.MAX_REDIRECTS + 1


async def test_fetch_limits_the_bytes_of_a_body(near_host: Host) -> None:
    near_host.answers |= {"/": http(b"x" * LIMIT), "/more": http(b"x" * (LIMIT + 1)), "/endless": endless}
    assert len((await fetch(near_host.url())).body) == LIMIT
    for path in ["/more", "/endless"]:
        with pytest.raises(TooLarge):
            await fetch(near_host.url(path))
        answer = await fetch(near_host.url(path), cut=True)
        assert (len(answer.body), answer.complete) == (LIMIT, False)


async def test_fetch_counts_bytes_after_decompression(near_host: Host) -> None:
    bomb = gzip.compress(bytes(50_000_000))
    near_host.answers |= {
        "/small": http(gzip.compress(b"hello"), "Content-Encoding: gzip"),
        "/bomb": http(bomb, "Content-Encoding: gzip"),
        "/no": http(b"no gzip", "Content-Encoding: gzip"),
    }
    assert (await fetch(near_host.url("/small"))).body == b"hello"
    with pytest.raises(TooLarge):
        await fetch(near_host.url("/bomb"), limit=1_000_000)
    with pytest.raises(Unreachable):
        await fetch(near_host.url("/no"))


async def test_fetch_gives_up_what_is_slow_or_broken(near_host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "READ_TIMEOUT", 0.1)
    near_host.answers |= {
        "/silent": silent,
        "/dripping": dripping,
        "/short": http(b"short", length=50),
        "/no-http": b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
        "/nothing": b"",
        "/long-header": http(b"", "X-Long: " + "x" * 100_000),
        "/negative": http(b"", length=-1),
    }
    for path in near_host.answers:
        with pytest.raises(Unreachable):
            await fetch(near_host.url(path), timeout=0.5)


async def test_post_sends_a_body_and_follows_no_redirect(near_host: Host) -> None:
    near_host.answers["/"] = redirect("/elsewhere")
    answer = await Client.here().post(near_host.url(), b"body", {"TTL": "60"})
    assert (answer.status, len(near_host.requests)) == (302, 1)
    assert b"TTL: 60" in near_host.requests[0]


async def test_client_opens_anew_after_it_was_closed(near_host: Host) -> None:
    near_host.answers["/"] = http(b"hello")
    await fetch(near_host.url())
    await Client.here().close()
    assert (await fetch(near_host.url())).body == b"hello"


def found(address: str, port: int = 80) -> Any:
    return socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (address, port)


async def endless(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        writer.write(b"2710\r\n" + b"x" * 10_000 + b"\r\n")
        await writer.drain()


async def silent(writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(5)


async def dripping(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        writer.write(b"x")
        await writer.drain()
        await asyncio.sleep(0.02)
