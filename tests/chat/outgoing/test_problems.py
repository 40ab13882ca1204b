"""Reasons for which a request brought no answer, as sentences name them."""

import asyncio
import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest
from pytest_django import Settings

from chat.outgoing import resolver
from chat.outgoing.client import Client, OutgoingError
from chat.outgoing.problems import TEXTS, Problem, text_of
from tests.hosts import Host, running_host


@pytest.fixture
async def host(settings: Settings) -> AsyncIterator[Host]:
    settings.CHAT_OUTGOING_NETWORKS = ["127.0.0.0/8", "::1"]
    async with running_host() as host:
        yield host
    await Client.here().close()


async def problem_with(url: str, timeout: float = 15.0) -> Problem:  # noqa: ASYNC109
    with pytest.raises(OutgoingError) as caught:
        await Client.here().fetch(url, limit=1000, timeout=timeout)
    return caught.value.problem


async def test_host_that_cannot_be_reached_is_told_from_one_that_does_not_exist(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        assert await problem_with(f"http://127.0.0.1:{unused.getsockname()[1]}/") == Problem.CONNECTION_REFUSED

    async def speak_no_tls(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(speak_no_tls, "127.0.0.1", 0) as server:
        assert await problem_with(f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/") == Problem.TLS

    def unknown(*_: Any) -> Any:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(resolver, "look_up", unknown)
    assert await problem_with("http://nobody.example/") == Problem.NAME_NOT_FOUND


async def test_answer_that_does_not_come_is_told_from_one_that_is_none(host: Host) -> None:
    async def wait(_: asyncio.StreamWriter) -> None:
        await asyncio.sleep(5)

    async def hang_up(writer: asyncio.StreamWriter) -> None:
        writer.close()

    host.answers |= {"/hanging": wait, "/broken": hang_up, "/nonsense": b"SSH-2.0-OpenSSH_9.2\r\n\r\n"}
    assert await problem_with(host.url("/hanging"), timeout=0.2) == Problem.NO_ANSWER_IN_TIME
    assert await problem_with(host.url("/broken")) == Problem.BROKEN_OFF
    assert await problem_with(host.url("/nonsense")) == Problem.NO_HTTP


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("http://example.org/" + "x" * 2000, Problem.URL_TOO_LONG),
        ("http://[::1/", Problem.MALFORMED_URL),
        ("gopher://example.org/", Problem.NO_WEB_URL),
        ("https://:443/", Problem.NO_HOST),
        ("https://a..b/", Problem.BAD_HOST),
        ("https://example.org:65536/", Problem.PORT_OUT_OF_RANGE),
        ("https://user@example.org/", Problem.CREDENTIALS),
        ("http://10.0.0.1/", Problem.PRIVATE_ADDRESS),
        ("http://1.1.1.1:8080/", Problem.PORT),
    ],
)
async def test_address_that_is_refused_is_refused_for_its_own_reason(url: str, problem: Problem) -> None:
    assert await problem_with(url) == problem
    await Client.here().close()


def test_each_problem_has_a_sentence() -> None:
    assert TEXTS.keys() == {*Problem}
    for problem in Problem:
        text = text_of(problem, host="hooks.example.org", port=8443, seconds=10.0)
        assert text.endswith((".", "?"))
        assert "{" not in text
