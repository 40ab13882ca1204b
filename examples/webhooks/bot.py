"""A bot by webhooks alone, with Python's standard library: it answers `!echo …`, and says what a shell has to say.

    python bot.py             # the receiver of an outgoing webhook
    python bot.py say TEXT    # an incoming webhook

README.md, beside this file, says how to set it up and what to change.
"""

import base64
import hashlib
import hmac
import json
import logging
import os
import random
import signal
import sys
import time
import urllib.error
import urllib.request
import uuid
from email.message import Message
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

URL = os.environ.get("CHAT_URL", "http://127.0.0.1:8000").rstrip("/")
TOKEN = os.environ.get("CHAT_TOKEN", "")  # for `say`
SECRET = os.environ.get("CHAT_WEBHOOK_SECRET", "")  # whsec_…, shown once when the webhook is made
ADDRESS = os.environ.get("HOST", "127.0.0.1"), int(os.environ.get("PORT", "8001"))

TOLERANCE = 300  # seconds by which clocks may differ; an older request may be one that somebody has recorded
LONGEST_BODY = 1_000_000  # bytes
LONGEST_PAUSE = 30.0  # seconds between two attempts to say something
ATTEMPTS = 8
log = logging.getLogger("bot")


def answer(text: str) -> str | None:
    """The bot's answer to a message, or None. This is yours to change.

    The site waits ten seconds for it. A message may come again, as when this program was killed over it: what you do
    for it should bear being done twice, but for the answer, which the site posts once.
    """
    command, _, words = text.partition(" ")
    return words or "What shall I say?" if command == "!echo" else None


def is_signed(headers: Message, body: bytes) -> bool:
    """Whether the site has sent this, just now: https://www.standardwebhooks.com has the rules."""
    sent_at = headers.get("webhook-timestamp", "")
    if not (sent_at.isascii() and sent_at.isdigit()) or abs(time.time() - int(sent_at)) > TOLERANCE:
        return False
    signed = f"{headers.get('webhook-id', '')}.{sent_at}.".encode() + body
    key = base64.b64decode(SECRET.removeprefix("whsec_"))
    expected = b"v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256))
    # After a change of the secret, the former one signs as well for a day.
    signatures = headers.get("webhook-signature", "").encode().split()
    return any(hmac.compare_digest(expected, signature) for signature in signatures)


class Receiver(BaseHTTPRequestHandler):
    """One delivery. An answer of 2xx says that it is handled; after any other, or none, the site sends it again."""

    timeout = 10  # seconds without a byte

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "")
        if not (length.isascii() and length.isdigit()) or int(length) > LONGEST_BODY:
            self.reply(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
            return
        body = self.rfile.read(int(length))
        if not is_signed(self.headers, body):
            log.warning(
                "The signature is wrong. Is CHAT_WEBHOOK_SECRET the secret of this webhook, and the clock right?"
            )
            self.reply(HTTPStatus.UNAUTHORIZED)
            return
        event = json.loads(body)
        text = answer(event["data"]["message"]) if event["type"] == "message.created" else None
        log.info("%s: %s", event["type"], "answered" if text else "nothing to answer")
        self.reply(HTTPStatus.OK, {"text": text} if text else None)

    def reply(self, status: HTTPStatus, answer: dict[str, str] | None = None) -> None:
        """With an answer, which the site posts as a reply."""
        body = json.dumps(answer).encode() if answer else b""
        self.send_response(status)
        if answer:
            self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_request(self, *_: object) -> None:
        pass


def receive() -> None:
    """Until SIGTERM or Ctrl+C. Deliveries that are being handled then are answered first."""
    if not SECRET.startswith("whsec_"):
        sys.exit(
            "Set CHAT_WEBHOOK_SECRET to the secret of the webhook, whsec_…: it is shown once, or replaced on its page."
        )
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    ThreadingHTTPServer.daemon_threads = False
    with ThreadingHTTPServer(ADDRESS, Receiver) as server:
        log.info("Listening on http://%s:%s/", *ADDRESS)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            log.info("Stopped")


def say(text: str) -> None:
    """Says it in the room that the token is for. The id makes all attempts one message."""
    url = f"{URL}/hooks/{TOKEN}/?client_id={uuid.uuid4().hex}"
    request = urllib.request.Request(url, json.dumps({"text": text}).encode(), {"Content-Type": "application/json"})
    for attempt in range(ATTEMPTS):
        pause = random.uniform(0, min(2.0 ** (attempt + 1), LONGEST_PAUSE))
        try:
            with urllib.request.urlopen(request, timeout=30) as response:
                log.info("Said at offset %s", json.load(response)["offset"])
                return
        except urllib.error.HTTPError as error:
            if error.code < 500 and error.code != HTTPStatus.TOO_MANY_REQUESTS:
                sys.exit(f"Not said ({error.code}): {error.read().decode(errors='replace')}")
            pause = float(error.headers.get("Retry-After") or pause)
            log.warning("Trying again in %.1f seconds, after: %s", pause, error)
        except OSError as error:
            log.warning("Trying again in %.1f seconds, after: %s", pause, error)
        time.sleep(pause)
    sys.exit("Not said: the site doesn't answer.")


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(name)s: %(message)s")
    match sys.argv[1:]:
        case []:
            receive()
        case ["say", text] if TOKEN:
            say(text)
        case ["say", _]:
            sys.exit("Set CHAT_TOKEN to a token with the scope write, for one room: /accounts/tokens/ makes one.")
        case _:
            sys.exit(__doc__)
