"""The receiver in docs/webhooks.md: short, and it takes nothing but what the site has signed."""

import re
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from chat.domain import webhook_secrets
from tests.servers import ROOT, free_port

SECRET = webhook_secrets.make()
BODY = '{"type": "message.created", "data": {"message": "grüße"}}'


@pytest.fixture(scope="module")
def receiver() -> Iterator[str]:
    (code,) = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "webhooks.md").read_text(), re.DOTALL)
    assert len([line for line in code.splitlines() if line.strip()]) <= 20
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-c", code], env={"WEBHOOK_SECRET": SECRET, "PORT": str(port)}, stderr=subprocess.DEVNULL
    )
    yield f"http://127.0.0.1:{port}/"
    process.terminate()
    process.wait()


def post(url: str, body: str, headers: dict[str, str]) -> tuple[int, bytes]:
    deadline = time.monotonic() + 60
    while True:
        try:
            with urllib.request.urlopen(urllib.request.Request(url, body.encode(), headers), timeout=30) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()
        except urllib.error.URLError:
            assert time.monotonic() < deadline, "it doesn't start"
            time.sleep(0.05)


def signed(*keys: str, at: datetime) -> dict[str, str]:
    return webhook_secrets.signed("msg_1_a", BODY, keys=keys, at=at)


def test_receiver_of_the_docs_takes_what_is_signed_and_nothing_else(receiver: str) -> None:
    now = timezone.now()
    other = webhook_secrets.make()
    assert post(receiver, BODY, signed(SECRET, at=now)) == (200, b'{"text": "I heard you"}')
    assert post(receiver, BODY, signed(other, SECRET, at=now))[0] == 200
    assert post(receiver, BODY, signed(other, at=now)) == (401, b"")
    assert post(receiver, BODY + " ", signed(SECRET, at=now)) == (401, b"")
    assert post(receiver, BODY, signed(SECRET, at=now - timedelta(hours=1))) == (401, b"")
