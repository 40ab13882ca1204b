"""The bot by webhooks alone answers what the site has signed, and says what it is told to."""

import json
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from standardwebhooks import Webhook

from chat.domain import webhook_secrets
from tests.examples.programs import EXAMPLES, TIMEOUT, WEBHOOKS, Program
from tests.servers import free_port

SECRET = webhook_secrets.make()
DELIVERY = json.dumps({"type": "message.created", "data": {"message": "!echo hé", "offset": 57}}, ensure_ascii=False)


@pytest.fixture
def bot(tmp_path: Path) -> Iterator[Program]:
    one = Program(WEBHOOKS, tmp_path / "bot", PORT=str(free_port()), CHAT_WEBHOOK_SECRET=SECRET)
    one.start()
    yield one
    one.kill()


def deliver(bot: Program, body: str, *, key: str = SECRET, age: float = 0, **changed: str) -> tuple[int, bytes]:
    """Sends it as the site does, signed `age` seconds ago; `changed` headers are put over the signed ones."""
    at = datetime.now(UTC) - timedelta(seconds=age)
    headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": f"v1,{'A' * 43}= {Webhook(key).sign('msg_1', at, body)}",  # of a former secret first
    }
    headers |= {name.replace("_", "-"): value for name, value in changed.items()}
    request = urllib.request.Request(f"http://127.0.0.1:{bot.variables['PORT']}/", body.encode(), headers)
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT) as response:
            return response.status, response.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


async def test_webhook_bot_answers_what_is_signed_and_refuses_all_else(bot: Program) -> None:
    await bot.has_begun()
    assert deliver(bot, DELIVERY) == (200, json.dumps({"text": "hé"}).encode())
    for other in ({"type": "webhook.test", "data": {"message": "!echo"}}, {"type": "room.notice", "data": {}}):
        assert deliver(bot, json.dumps(other)) == (200, b"")
    refused = {
        "another key": deliver(bot, DELIVERY, key=webhook_secrets.make()),
        "another id": deliver(bot, DELIVERY, webhook_id="msg_2"),
        "another time": deliver(bot, DELIVERY, webhook_timestamp="1"),
        "no time": deliver(bot, DELIVERY, webhook_timestamp="²"),
        "recorded": deliver(bot, DELIVERY, age=600),
        "from the future": deliver(bot, DELIVERY, age=-600),
        "no signature": deliver(bot, DELIVERY, webhook_signature=""),
        "not ASCII": deliver(bot, DELIVERY, webhook_signature="v1,é"),
    }
    assert {case: status for case, (status, _) in refused.items() if status != 401} == {}
    assert deliver(bot, DELIVERY, Content_Length="1000001")[0] == 413


def test_webhook_bot_says_what_it_lacks() -> None:
    command = [sys.executable, str(EXAMPLES / "webhooks" / "bot.py")]
    for arguments, missing in (([], "CHAT_WEBHOOK_SECRET"), (["say", "hi"], "CHAT_TOKEN"), (["what"], "say TEXT")):
        done = subprocess.run([*command, *arguments], env={}, capture_output=True, text=True, timeout=TIMEOUT)
        assert done.returncode == 1
        assert missing in done.stderr
