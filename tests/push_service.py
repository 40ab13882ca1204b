"""A push service of the tests' own, which does what real ones can't: it reads what it is sent.

It checks each request as RFC 8030, 8291 and 8292 have it, and answers as a test tells it to.
"""

import asyncio
import base64
import json
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import http_ece
from aiohttp import web
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(eq=False)
class Browser:
    """A browser that is subscribed here: it alone can read what is sent to it. `pushes` are the payloads that came."""

    service: "PushService"
    name: str
    private_key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    auth: bytes = field(default_factory=lambda: secrets.token_bytes(16))
    pushes: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    requests: int = 0
    answers: list[int | Handler] = field(default_factory=list)
    """The next answers: statuses, or functions of the request. After the last one it is 201."""

    @property
    def endpoint(self) -> str:
        return f"{self.service.origin}/push/{self.name}"

    @property
    def keys(self) -> dict[str, str]:
        point = serialization.PublicFormat.UncompressedPoint
        public = self.private_key.public_key().public_bytes(serialization.Encoding.X962, point)
        return {"p256dh": as_base64(public), "auth": as_base64(self.auth)}

    @property
    def subscription(self) -> dict[str, Any]:
        """As `PushSubscription.toJSON()` has it in a page."""
        return {"endpoint": self.endpoint, "expirationTime": None, "keys": self.keys}

    async def pushed(self, count: int = 1, within: float = 10.0) -> list[dict[str, Any]]:
        """The first `count` payloads, once they have come."""
        async with asyncio.timeout(within):
            while len(self.pushes) < count:
                await asyncio.sleep(0.02)
        return self.pushes[:count]


class PushService:
    def __init__(self) -> None:
        self.browsers: dict[str, Browser] = {}
        self.port = 0

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def browser(self, *answers: int | Handler) -> Browser:
        """A new browser's subscription; the first pushes to it are answered so."""
        browser = Browser(self, secrets.token_urlsafe(8), answers=list(answers))
        self.browsers[browser.name] = browser
        return browser

    async def take(self, request: web.Request) -> web.StreamResponse:
        browser = self.browsers[request.match_info["name"]]
        browser.requests += 1
        body = await request.read()
        check_request(request, body, self.origin)
        payload = http_ece.decrypt(body, private_key=browser.private_key, auth_secret=browser.auth, version="aes128gcm")
        assert len(payload) <= 3000
        answer = browser.answers.pop(0) if browser.answers else 201
        if callable(answer):
            return await answer(request)
        if 200 <= answer < 300:
            browser.pushes.append(json.loads(payload))
            browser.headers.append(dict(request.headers))
        return web.Response(status=answer)


def check_request(request: web.Request, body: bytes, origin: str) -> None:
    assert request.headers["Content-Encoding"] == "aes128gcm"
    assert 0 < int(request.headers["TTL"]) <= 28 * 24 * 3600
    assert request.headers["Urgency"] in {"normal", "high"}
    assert len(request.headers["Topic"]) <= 32
    assert len(body) <= 4096
    claims = check_token(request.headers["Authorization"])
    assert claims["aud"] == origin
    assert 0 < claims["exp"] - time.time() <= 24 * 3600
    assert claims["sub"].startswith(("mailto:", "https://"))


def check_token(authorization: str) -> dict[str, Any]:
    """The claims of a VAPID token that its key has signed."""
    scheme, _, parameters = authorization.partition(" ")
    assert scheme == "vapid"
    given = dict(one.strip().split("=", 1) for one in parameters.split(","))
    key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), from_base64(given["k"]))
    signed, _, signature = given["t"].rpartition(".")
    raw = from_base64(signature)
    numbers = int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big")
    key.verify(encode_dss_signature(*numbers), signed.encode(), ec.ECDSA(hashes.SHA256()))
    header, claims = (json.loads(from_base64(part)) for part in signed.split("."))
    assert header["alg"] == "ES256"
    return claims


@asynccontextmanager
async def push_service() -> AsyncIterator[PushService]:
    service = PushService()
    application = web.Application()
    application.router.add_post("/push/{name}", service.take)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    service.port = runner.addresses[0][1]
    try:
        yield service
    finally:
        await runner.cleanup()


def as_base64(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).decode().rstrip("=")


def from_base64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
