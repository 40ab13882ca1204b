"""deploy/Caddyfile, with a real Caddy: as it stands between the internet and the site in compose.yaml."""

import contextlib
import http.server
import json
import os
import shutil
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from tests.programs import SEARCH, listens, running, wait_until
from tests.servers import ROOT, Server, free_port
from tests.tls_site import TlsSite, exchange_at_both_doors
from tests.uploads import CONTENT_TYPE, TOKEN, form, part

NAME = "chat.example.org"
CADDY = shutil.which("caddy", path=SEARCH)
POST_ONCE = """mutation ($id: String!) {
    postMessage(input: {roomName: "room1", message: "hi", clientId: $id}) { message { offset } }
}"""


class Caddy(TlsSite):
    """The shipped Caddyfile in front of what listens at `address`, with other ports and certificates of its own."""

    def __init__(self, address: str, place: Path, try_duration: str = "120s") -> None:
        self.plain_port, self.place, self.log = free_port(), place, place / "caddy.log"
        super().__init__(NAME, free_port(), place / "caddy" / "pki" / "authorities" / "local" / "root.crt")
        shipped = (ROOT / "deploy" / "Caddyfile").read_text()
        head, brace, rest = shipped.partition("\n{\n")
        assert brace
        ports = f"http_port {self.plain_port}\nhttps_port {self.port}\ndefault_bind 127.0.0.1\n"
        config = f"{head}{brace}admin off\nlocal_certs\nskip_install_trust\n{ports}{rest}"
        assert "lb_try_duration 15s" in config
        (place / "Caddyfile").write_text(config.replace("lb_try_duration 15s", f"lb_try_duration {try_duration}"))
        self.command = [CADDY, "run", "--config", place / "Caddyfile", "--adapter", "caddyfile"]
        places = {"XDG_DATA_HOME": str(place), "XDG_CONFIG_HOME": str(place), "HOME": str(place)}
        self.environment = {**os.environ, **places, "SITE_DOMAIN": NAME, "SITE_ADDRESS": address}

    def answers(self) -> None:
        listens(self.plain_port)
        self.ask("GET", "/readyz", {})  # so there is a certificate

    @contextlib.contextmanager
    def run(self) -> Iterator["Caddy"]:
        with self.log.open("wb") as log, running(self.command, self.answers, env=self.environment, stderr=log):
            yield self


@pytest.fixture
def needs_caddy() -> None:
    if not CADDY:
        pytest.skip("There is no caddy: `make test` unpacks Debian's")


@pytest.fixture
def caddy(
    needs_caddy: None, start_servers: Callable[..., list[Server]], tmp_path: Path
) -> Iterator[tuple[Caddy, Server]]:
    (server,) = start_servers(1, ALLOWED_HOSTS=f"{NAME},127.0.0.1", CHAT_FILES_DIR=str(tmp_path / "files"))
    with Caddy(server.host, tmp_path).run() as proxy:
        yield proxy, server


def test_caddy_connects_both_doors_hands_on_files_and_hides_probes(caddy: tuple[Caddy, Server]) -> None:
    site, _server = caddy
    exchange_at_both_doors(site)
    status, page = site.get("/chat/room1/")
    assert (status, 'id="chat-log"' in page) == (200, True)
    for probe in ("/livez", "/readyz", "/metrics"):
        assert site.get(probe)[0] == 404
    client = Client()
    client.get("/chat/room1/")
    sent = {"Cookie": f"sessionid={client.cookies['sessionid'].value}; csrftoken={TOKEN}"}
    headers = {**sent, "Content-Type": CONTENT_TYPE, "X-CSRFToken": TOKEN, "Referer": f"https://{NAME}/"}
    content = b"x" * 1_000_000
    status, answer = site.ask("POST", "/chat/room1/files/", headers, form(part(content, b"a.html")))[:2]
    assert status == 201, answer
    assert site.ask("GET", json.loads(answer)["url"], {**sent, "Range": "bytes=10-99"})[:2] == (206, content[10:100])


def test_restart_of_the_only_instance_behind_caddy_answers_no_request_with_an_error(
    caddy: tuple[Caddy, Server],
) -> None:
    site, server = caddy
    over = threading.Event()

    def post_until_it_is_over() -> list[int]:
        """Posts each message until it is acknowledged; returns the offsets."""
        offsets = []
        while not over.is_set():
            variables = {"id": f"message {len(offsets)}"}
            try:
                status, answer = site.get("/graphql", {"query": POST_ONCE, "variables": variables})
            except OSError:
                continue  # cut off in the middle, as the instance ended
            assert status in {200, 502, 503}, answer
            if status == 200:
                offsets.append(json.loads(answer)["data"]["postMessage"]["message"]["offset"])
        return offsets

    with ThreadPoolExecutor(1) as threads:
        posting = threads.submit(post_until_it_is_over)
        try:
            with site.socket("/ws/chat/room1/") as socket:
                position = json.loads(socket.recv(timeout=20))["offset"]
                server.process.send_signal(signal.SIGTERM)
                server.process.wait(15)
            server.__enter__()
            # Nothing listens yet, or just now: Caddy waits, and then hands it on.
            assert site.get("/chat/room1/")[0] == 200
            with site.socket(f"/ws/chat/room1/?after={position}") as socket:
                assert json.loads(socket.recv(timeout=20))["offset"] == position + 1
        finally:
            over.set()
        offsets = posting.result(timeout=60)
    assert offsets == list(range(1, len(offsets) + 1))


class Recorder(http.server.BaseHTTPRequestHandler):
    """A site that tells in its answer which headers a request had; it keeps nothing, and is closed at once."""

    def do_GET(self) -> None:
        content = json.dumps({name.lower(): value for name, value in self.headers.items()}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        if len(self.rfile.read(length)) == length:  # Caddy hasn't hung up
            self.do_GET()

    def log_message(self, *args: Any) -> None:
        """Not here."""


def test_caddy_throws_forwarded_headers_of_clients_away_and_refuses_large_bodies(
    needs_caddy: None, tmp_path: Path
) -> None:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Recorder) as server, ThreadPoolExecutor(1) as threads:
        threads.submit(server.serve_forever)
        try:
            with Caddy(f"127.0.0.1:{server.server_address[1]}", tmp_path).run() as site:
                forged = {
                    "X-Forwarded-For": "192.0.2.1",
                    "X-Forwarded-Proto": "http",
                    "X-Forwarded-Host": "evil.example",
                }
                seen = json.loads(site.ask("GET", "/chat/", forged)[1])
                assert (seen["x-forwarded-for"], seen["x-forwarded-proto"]) == ("127.0.0.1", "https")
                assert (seen["host"], seen["x-forwarded-host"]) == (NAME, NAME)
                for path, size, is_taken in (
                    ("/chat/a/files/", 25_500_000, True),
                    ("/chat/a/files/", 26_500_000, False),
                    ("/graphql", 250_000, True),
                    ("/graphql", 300_000, False),
                ):
                    status = site.ask("POST", path, {}, b"x" * size)[0]
                    assert status == 200 if is_taken else status in {413, 502}, (path, size)  # 502 before Caddy 2.7
        finally:
            server.shutdown()


def test_caddy_logs_no_query_string_no_secret_path_and_no_header_where_the_site_is_away(
    needs_caddy: None, tmp_path: Path
) -> None:
    with Caddy(f"127.0.0.1:{free_port()}", tmp_path, try_duration="200ms").run() as site:
        for path in ("/chat/?query=secret-1", "/hooks/secret-2/", "/invitations/secret-3/?next=secret-4"):
            with contextlib.closing(site.connection()) as connection:
                connection.request("GET", path, headers={"Authorization": "Bearer secret-5", "Cookie": "a=secret-6"})
                assert connection.getresponse().status in {502, 503}
        logged = '"status":50'
        wait_until(lambda: site.log.read_text().count(logged) == 3)
    log = site.log.read_text()
    assert "secret-" not in log
    uris = [json.loads(line)["request"]["uri"] for line in log.splitlines() if logged in line]
    assert uris == ["/chat/?***", "/hooks/***", "/invitations/***"]


def test_shipped_caddyfile_is_valid_and_in_the_usual_form(needs_caddy: None, tmp_path: Path) -> None:
    environment = {
        **os.environ,
        "XDG_DATA_HOME": str(tmp_path),
        "XDG_CONFIG_HOME": str(tmp_path),
        "HOME": str(tmp_path),
    }
    for command in (
        ["validate", "--config", "deploy/Caddyfile", "--adapter", "caddyfile"],
        ["fmt", "deploy/Caddyfile"],
    ):
        done = subprocess.run([str(CADDY), *command], cwd=ROOT, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    assert done.stdout == (ROOT / "deploy" / "Caddyfile").read_text()
