"""The client's address and scheme, taken from the headers of trusted proxies."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest
import websockets.sync.client

from benchmarks.servers import WEB, wait_for
from tests.servers import ROOT, environment, free_port

# Answers with the client and the scheme that the application behind the proxy layer sees.
ECHO = """
import json
from mysite import asgi

async def tell(scope, receive, send):
    told = json.dumps({"client": scope["client"][0], "scheme": scope.get("scheme", "ws")})
    await receive()
    if scope["type"] == "websocket":
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.send", "text": told})
        await send({"type": "websocket.close"})
    else:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": told.encode()})

application = asgi.served(tell)
"""
SERVERS = {
    "the Procfile's": WEB.replace("mysite.asgi", "echo"),
    "Daphne": "daphne --bind 127.0.0.1 --port $PORT echo:application",
}
FORGED = {"X-Forwarded-For": "10.1.2.3", "X-Forwarded-Proto": "https"}


@pytest.fixture(params=SERVERS)
def server(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    (tmp_path / "echo.py").write_text(ECHO)
    return request.param


@contextmanager
def serving(server: str, folder: Path, trusted: str) -> Iterator[int]:
    port = free_port()
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    variables = environment(PATH=path, PYTHONPATH=f"{ROOT}:{folder}", PORT=str(port), FORWARDED_ALLOW_IPS=trusted)
    command = ["bash", "-c", f"exec {SERVERS[server]}"]
    log = folder / "log"
    with log.open("wb") as output, subprocess.Popen(command, cwd=folder, env=variables, stderr=output) as process:
        try:
            wait_for(socket.AF_INET, ("127.0.0.1", port), process.pid, log)
            yield port
        finally:
            process.terminate()


def told(port: int, headers: dict[str, str]) -> list[dict[str, Any]]:
    """Client and scheme as the application sees them, over HTTP and over WebSocket."""
    with urlopen(Request(f"http://127.0.0.1:{port}/", headers=headers), timeout=10) as answer:
        http = json.loads(answer.read())
    with websockets.sync.client.connect(f"ws://127.0.0.1:{port}/", additional_headers=headers) as websocket:
        return [http, json.loads(websocket.recv(timeout=10))]


def test_forwarded_headers_of_an_untrusted_client_are_ignored(db: None, server: str, tmp_path: Path) -> None:
    with serving(server, tmp_path, "192.0.2.1") as port:
        http, websocket = told(port, FORGED)
        assert http == {"client": "127.0.0.1", "scheme": "http"}
        assert websocket == {"client": "127.0.0.1", "scheme": "ws"}


def test_forwarded_headers_of_a_trusted_proxy_give_the_last_untrusted_address_and_the_scheme(
    db: None, server: str, tmp_path: Path
) -> None:
    with serving(server, tmp_path, "127.0.0.1,192.0.2.0/24") as port:
        for chain in ["10.1.2.3", "1.1.1.1, 10.1.2.3", "1.1.1.1, 10.1.2.3, 192.0.2.7"]:
            http, websocket = told(port, FORGED | {"X-Forwarded-For": chain})
            assert http == {"client": "10.1.2.3", "scheme": "https"}
            assert websocket == {"client": "10.1.2.3", "scheme": "wss"}
        http, websocket = told(port, {"X-Forwarded-Proto": "nonsense"})
        assert http == {"client": "127.0.0.1", "scheme": "http"}
        assert websocket == {"client": "127.0.0.1", "scheme": "ws"}
