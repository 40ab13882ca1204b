"""The site behind a proxy that speaks TLS, as its clients see it."""

import contextlib
import http.client
import json
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from websockets.sync.client import ClientConnection, connect

TIMEOUT = 60  # seconds, for a machine on which much else runs
SUBSCRIBE = 'subscription { roomMessages(rooms: [{roomName: "room1"}]) { message } }'
POST = 'mutation { sendChatMessage(message: "from GraphQL", room: {roomName: "room1"}) }'


class TlsSite:
    """A site of that name, on a port of this machine, whose certificate is signed by `authority`."""

    def __init__(self, name: str, port: int, authority: Path) -> None:
        self.name, self.port, self.authority = name, port, authority

    @property
    def tls(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.authority))

    def socket(self, path: str, **options: Any) -> ClientConnection:
        raw = socket.create_connection(("127.0.0.1", self.port), timeout=TIMEOUT)
        options = {"origin": f"https://{self.name}", "open_timeout": 20, **options}
        return connect(f"wss://{self.name}{path}", sock=raw, ssl=self.tls, **options)

    def connection(self, name: str | None = None) -> http.client.HTTPConnection:
        """To the site, or to whatever answers there by another name."""
        name = name or self.name
        raw = socket.create_connection(("127.0.0.1", self.port), timeout=TIMEOUT)
        connection = http.client.HTTPConnection(name)
        connection.sock = self.tls.wrap_socket(raw, server_hostname=name)
        return connection

    def get(self, path: str, body: Any = None, name: str | None = None) -> tuple[int, str]:
        """Status and content."""
        with contextlib.closing(self.connection(name)) as connection:
            data = None if body is None else json.dumps(body)
            connection.request("GET" if body is None else "POST", path, data, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            return answer.status, answer.read().decode()

    def ask(self, method: str, path: str, headers: dict[str, str], body: bytes | None = None) -> tuple[int, bytes, Any]:
        """Status, content and headers."""
        with contextlib.closing(self.connection()) as connection:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            return answer.status, answer.read(), answer.headers

    @contextlib.contextmanager
    def events(self, path: str) -> Iterator[http.client.HTTPResponse]:
        """A stream of events, once its first line has come: each is handed on as it comes, and not kept."""
        with contextlib.closing(self.connection()) as connection:
            connection.request("GET", path, headers={"Accept": "text/event-stream"})
            answer = connection.getresponse()
            assert (answer.status, answer.readline()) == (200, b":\n")
            yield answer


class Subscription:
    """A GraphQL subscription to room1."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        socket.send('{"type": "connection_init"}')
        assert json.loads(socket.recv(timeout=10))["type"] == "connection_ack"
        socket.send(json.dumps({"type": "subscribe", "id": "1", "payload": {"query": SUBSCRIBE}}))
        socket.send('{"type": "ping"}')  # answered when it is subscribed: frames are handled one by one
        assert json.loads(socket.recv(timeout=10))["type"] == "pong"

    def hear(self) -> str:
        return json.loads(self.socket.recv(timeout=10))["payload"]["data"]["roomMessages"]["message"]


def exchange_at_both_doors(site: TlsSite) -> None:
    """Has browsers, subscriptions and a stream of events in room1 hear each other, through the proxy."""
    with contextlib.ExitStack() as stack:
        browsers = [stack.enter_context(site.socket("/ws/chat/room1/")) for _ in range(3)]
        subprotocols = {"subprotocols": ["graphql-transport-ws"]}
        graphql = [Subscription(stack.enter_context(site.socket("/graphql", **subprotocols))) for _ in range(3)]
        events = stack.enter_context(site.events("/chat/room1/events/"))
        for number, browser in enumerate(browsers):
            browser.send(json.dumps({"message": f"from browser {number}"}))
            for other in browsers:
                assert json.loads(other.recv(timeout=10))["message"] == f"from browser {number}"
            assert [subscription.hear() for subscription in graphql] == [f"from browser {number}"] * 3
        assert site.get("/graphql", {"query": POST}) == (200, '{"data":{"sendChatMessage":null}}')
        assert {json.loads(browser.recv(timeout=10))["message"] for browser in browsers} == {"from GraphQL"}
        assert {subscription.hear() for subscription in graphql} == {"from GraphQL"}
        frames = (json.loads(line[6:]) for line in iter(events.readline, b"") if line.startswith(b"data: "))
        heard = [next(frames)["message"] for _ in range(4)]
        assert heard == [*(f"from browser {number}" for number in range(3)), "from GraphQL"]
