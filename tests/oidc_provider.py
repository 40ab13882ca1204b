"""A provider of OpenID Connect on this machine: an HTTP server that logs people in, and lies where a test says so."""

import base64
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT_ID, CLIENT_SECRET = "chat", "s$cret: %/+"
Json = dict[str, Any]


class Provider:
    """`person` are the claims of whoever is logged in there. Attributes named `change_…`, and `sign`, are for lies.

    `answers` has by paths what is answered in the place of the truth: a status and a body, or a function that writes to
    the socket.
    """

    def __init__(self) -> None:
        self.first_key = RSAKey.generate_key(2048, {"kid": "first"})
        self.reset()
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                provider.answer(self)

            do_POST = do_GET

            def log_message(self, *_: Any) -> None:
                pass

        self.stopping = threading.Event()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.issuer = f"http://127.0.0.1:{self.server.server_port}"

    def reset(self) -> None:
        """Tells the truth from now on, of Zoë."""
        self.person: Json = {"sub": "1", "preferred_username": "zoe", "name": "Zoë", "email": "zoe@example.org"}
        self.key = self.first_key
        self.published = [self.key]
        self.header: Json = {"alg": "RS256", "kid": "first"}
        self.sign: Callable[[Json, Json], str] = self._sign
        self.change_claims: Callable[[Json], Json] = lambda claims: claims
        self.change_description: Callable[[Json], Json] = lambda description: description
        self.userinfo: Json | None = None
        self.answers: dict[str, tuple[int, bytes] | Callable[[Any], None]] = {}
        self.asked: list[str] = []  # paths
        self.codes: dict[str, Json] = {}

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        parts = urlsplit(handler.path)
        self.asked.append(parts.path)
        length = int(handler.headers.get("Content-Length") or 0)
        form = {name: one[0] for name, one in parse_qs(handler.rfile.read(length).decode()).items()}
        lie = self.answers.get(parts.path)
        if callable(lie):
            lie(handler)
        elif lie is not None:
            send(handler, *lie)
        elif parts.path == "/authorize":
            query = {name: one[0] for name, one in parse_qs(parts.query).items()}
            handler.send_response(302)
            handler.send_header("Location", self.authorize(query))
            handler.end_headers()
        else:
            status, said = self.said(parts.path, form, handler.headers)
            send(handler, status, json.dumps(said).encode())

    def said(self, path: str, form: Json, headers: Any) -> tuple[int, Any]:
        match path:
            case "/.well-known/openid-configuration":
                return 200, self.change_description(self.description)
            case "/jwks":
                return 200, {"keys": [key.as_dict(private=False) for key in self.published]}
            case "/token":
                return self.token(form, headers)
            case "/userinfo" if headers.get("Authorization", "").startswith("Bearer "):
                return 200, self.userinfo
        return 404, {"error": "not_found"}

    @property
    def description(self) -> Json:
        paths = {"authorization_endpoint": "authorize", "token_endpoint": "token", "jwks_uri": "jwks"}
        if self.userinfo is not None:
            paths["userinfo_endpoint"] = "userinfo"
        return {
            "issuer": self.issuer,
            **{name: f"{self.issuer}/{path}" for name, path in paths.items()},
            "id_token_signing_alg_values_supported": ["RS256", "ES256", "HS256", "none"],
        }

    def authorize(self, query: Json) -> str:
        """The address back to the site, after a login here."""
        assert query["client_id"] == CLIENT_ID
        assert query["response_type"] == "code"
        assert query["code_challenge_method"] == "S256"
        code = secrets.token_urlsafe()
        self.codes[code] = query
        return f"{query['redirect_uri']}?{urlencode({'code': code, 'state': query['state']})}"

    def token(self, form: Json, headers: Any) -> tuple[int, Json]:
        begun = self.codes.pop(form.get("code", ""), None)
        kind, _, given = headers.get("Authorization", "").partition(" ")
        name, _, secret = base64.b64decode(given).decode().partition(":")
        challenge = base64.urlsafe_b64encode(hashlib.sha256(form.get("code_verifier", "").encode()).digest())
        if begun is None or form["redirect_uri"] != begun["redirect_uri"]:
            return 400, {"error": "invalid_grant"}
        if challenge.decode().rstrip("=") != begun["code_challenge"]:
            return 400, {"error": "invalid_grant"}
        if kind != "Basic" or (unquote(name), unquote(secret)) not in {(CLIENT_ID, CLIENT_SECRET)}:
            return 401, {"error": "invalid_client"}
        now = int(time.time())
        claims = {"iss": self.issuer, "aud": CLIENT_ID, "iat": now, "exp": now + 300, "nonce": begun["nonce"]}
        token = self.sign(self.header, self.change_claims({**claims, **self.person}))
        return 200, {"access_token": secrets.token_urlsafe(), "token_type": "Bearer", "id_token": token}

    def _sign(self, header: Json, claims: Json) -> str:
        return jwt.encode(header, claims, self.key)

    def rotate(self, kid: str) -> None:
        """Signs with another key from now on."""
        self.key = RSAKey.generate_key(2048, {"kid": kid})
        self.published, self.header = [self.key], {"alg": "RS256", "kid": kid}


def send(handler: BaseHTTPRequestHandler, status: int, body: bytes) -> None:
    handler.send_response(status)
    handler.send_header("Content-Type", "application/json")
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)


@contextmanager
def running() -> Iterator[Provider]:
    provider = Provider()
    thread = threading.Thread(target=provider.server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield provider
    finally:
        provider.stopping.set()
        provider.server.shutdown()
        provider.server.server_close()
        thread.join()
