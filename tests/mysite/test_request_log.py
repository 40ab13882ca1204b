"""Mistakes of clients in the log."""

import io
import logging
import sys
from typing import Any

import pytest
from channels.testing import HttpCommunicator
from django.test import Client

from mysite.request_log import ClientsFault, RequestLog


def record(logger: str, error: type[Exception]) -> logging.LogRecord:
    try:
        b"\xff".decode() if error is UnicodeDecodeError else [].pop()
    except Exception:
        return logging.LogRecord(logger, logging.ERROR, "", 1, "oh %s\nno", ("dear",), sys.exc_info())
    raise AssertionError


@pytest.mark.parametrize(
    ("logger", "error", "fault"),
    [
        ("django.security.DisallowedHost", IndexError, True),
        ("uvicorn.error", UnicodeDecodeError, True),
        ("asyncio", UnicodeDecodeError, True),
        ("uvicorn.error", IndexError, False),
        ("asyncio", IndexError, False),
        ("chat.delivery.hub", UnicodeDecodeError, False),
        ("django.request", IndexError, False),
    ],
)
def test_clients_fault_turns_only_client_mistakes_into_warnings_without_traceback(
    logger: str, error: type[Exception], fault: bool
) -> None:
    said = record(logger, error)
    assert ClientsFault().filter(said)
    assert (said.levelname, said.exc_info is None) == (("WARNING", True) if fault else ("ERROR", False))
    assert said.getMessage() == ("oh dear" if fault else "oh dear\nno")


def test_refused_host_is_logged_as_a_warning_without_traceback(client: Client, written_log: io.StringIO) -> None:
    assert client.get("/chat/", headers={"host": "evil.example"}).status_code == 400
    assert "evil.example" in written_log.getvalue()
    assert "WARNING" in written_log.getvalue()
    assert "ERROR" not in written_log.getvalue()
    assert "Traceback" not in written_log.getvalue()


@pytest.mark.parametrize(
    "before",
    [
        "/hooks/",
        "/invitations/",
        "/accounts/login/link/",
        "/accounts/notifications/confirm/",
        "/accounts/notifications/unsubscribe/",
    ],
)
async def test_request_log_masks_the_secret_of_a_path(caplog: pytest.LogCaptureFixture, before: str) -> None:
    async def answer(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 404, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    with caplog.at_level(logging.INFO, "mysite.request_log"):
        await HttpCommunicator(RequestLog(answer), "GET", f"{before}a-secret/").get_response()
    assert caplog.messages == [f"GET {before}***/ 404"]
