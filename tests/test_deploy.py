"""The files in deploy/, and the claims of docs/deploy.md about them, with the real programs."""

import contextlib
import http.client
import json
import os
import re
import shlex
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import quote, urljoin, urlsplit

import psycopg
import pytest
import redis
from django.test import Client
from prometheus_client import REGISTRY, generate_latest
from websockets.exceptions import InvalidStatus, WebSocketException
from websockets.sync.client import ClientConnection, connect

from tests.postgres import postgres
from tests.programs import SEARCH, listens, running, wait_until
from tests.servers import ROOT, Server, environment, free_port
from tests.tls_site import TlsSite, exchange_at_both_doors
from tests.uploads import CONTENT_TYPE, TOKEN, form, part

NAME = "chat.example.org"
NGINX, OPENSSL = shutil.which("nginx", path=SEARCH), shutil.which("openssl")
FOLLOW = 'subscription ($after: Int) { roomMessages(rooms: [{roomName: "room1", after: $after}]) { offset } }'
POST_ONCE = """mutation ($id: String!) {
    postMessage(input: {roomName: "room1", message: "hi", clientId: $id}) { message { offset } }
}"""


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate that signs itself, for NAME and this machine, and its key."""
    if not OPENSSL:
        pytest.skip("There is no openssl to make a certificate with")
    place = tmp_path_factory.mktemp("tls")
    paths = place / "fullchain.pem", place / "privkey.pem"
    names = f"subjectAltName=DNS:{NAME},DNS:localhost,IP:127.0.0.1"
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", str(paths[1])]
    command = [OPENSSL, "req", "-x509", "-subj", f"/CN={NAME}", "-addext", names, "-days", "2", *key, "-out"]
    subprocess.run([*command, str(paths[0])], check=True, capture_output=True)
    return paths


class Proxy(TlsSite):
    """The shipped nginx.conf, with other ports, the test's certificate and the test's instances."""

    def __init__(self, instances: list[Server], certificate: tuple[Path, Path], place: Path) -> None:
        super().__init__(NAME, free_port(), certificate[0])
        self.plain_port, self.place = free_port(), place
        self.instances = instances
        shipped = (ROOT / "deploy" / "nginx.conf").read_text()
        for port, instance in zip((8000, 8001, 8002), instances, strict=True):
            shipped = shipped.replace(f"127.0.0.1:{port}", instance.host)
        for here, there in {
            "listen 443": f"listen 127.0.0.1:{self.port}",
            "listen 80;": f"listen 127.0.0.1:{self.plain_port};",
            "/etc/letsencrypt/live/chat.example.org": str(certificate[0].parent),
            "/var/log/nginx": str(place),
            "/srv/chat/var/files": str(place / "files"),
        }.items():
            assert here in shipped
            shipped = shipped.replace(here, there)
        shipped = re.sub(r"^ *listen \[::\].*\n", "", shipped, flags=re.MULTILINE)
        (place / "chat.conf").write_text(shipped)
        temporary = "".join(
            f"{kind}_temp_path {place}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        # nginx reads files: started by root, it would do so as a user to whom the tests' folder is closed.
        user = "user root;" if os.geteuid() == 0 else ""
        (place / "nginx.conf").write_text(
            f"{user} daemon off; pid {place}/pid; error_log {place}/error.log; worker_processes 1; "
            f"events {{}} http {{ {temporary} include {place}/chat.conf; }}"
        )
        self.command = [NGINX, "-e", place / "error.log", "-p", place, "-c", place / "nginx.conf"]


@pytest.fixture
def proxy(
    start_servers: Callable[..., list[Server]], certificate: tuple[Path, Path], tmp_path: Path
) -> Iterator[Proxy]:
    if not NGINX:
        pytest.skip("There is no nginx: `make test` installs it as root in a container of Debian's")
    files = {"CHAT_FILES_DIR": str(tmp_path / "files"), "CHAT_FILES_ACCEL": "/_files/"}
    instances = start_servers(3, ALLOWED_HOSTS=f"{NAME},127.0.0.1", CHAT_HTTPS="false", CHAT_GRAPHIQL="true", **files)
    proxy = Proxy(instances, certificate, tmp_path)
    with running(proxy.command, lambda: listens(proxy.port), stderr=subprocess.DEVNULL):
        yield proxy


def test_nginx_connects_both_doors_to_instances_that_share_rooms(proxy: Proxy) -> None:
    exchange_at_both_doors(proxy)


def test_nginx_serves_pages_and_refuses_probes_foreign_origins_and_other_hosts(proxy: Proxy) -> None:
    status, page = proxy.get("/chat/room1/")
    assert (status, 'id="chat-log"' in page) == (200, True)
    for probe in ("/livez", "/readyz", "/metrics"):
        assert proxy.get(probe)[0] == 404
    with pytest.raises(InvalidStatus, match="403"):  # noqa: SIM117
        with proxy.socket("/ws/chat/room1/", origin="https://evil.example"):
            pass
    with pytest.raises(ssl.SSLError):
        proxy.get("/chat/", name="localhost")


def test_nginx_takes_files_and_sends_those_that_the_site_allows(proxy: Proxy) -> None:
    client = Client()
    client.get("/chat/room1/")
    sent = {"Cookie": f"sessionid={client.cookies['sessionid'].value}; csrftoken={TOKEN}"}
    headers = {**sent, "Content-Type": CONTENT_TYPE, "X-CSRFToken": TOKEN, "Referer": f"https://{NAME}/"}
    content = b"x" * 1_000_000
    status, answer = proxy.ask("POST", "/chat/room1/files/", headers, form(part(content, b"a.html")))[:2]
    assert status == 201, answer
    path = json.loads(answer)["url"]
    status, got, answered = proxy.ask("GET", path, {**sent, "Range": "bytes=10-99"})
    assert (status, got) == (206, content[10:100])
    assert answered["Content-Type"] == "application/octet-stream"
    assert answered["Content-Disposition"] == 'attachment; filename="a.html"'
    assert answered["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answered["Content-Security-Policy"]
    assert answered["Cache-Control"] == "private, no-cache"
    assert proxy.ask("GET", path, {})[0] == 404  # the file is its uploader's alone
    stored = next(path for path in (proxy.place / "files").rglob("*") if path.is_file())
    assert proxy.ask("GET", f"/_files/{stored.parent.name}/{stored.name}", sent)[0] == 404
    assert proxy.ask("POST", "/chat/room1/files/", {**headers, "Content-Length": "27000000"}, b"x")[0] == 413


@pytest.mark.parametrize("path", ["/chat/room1/", "/graphql"])
def test_nginx_gives_fresh_browsers_of_one_address_every_file_of_a_page(proxy: Proxy, path: str) -> None:
    visits = [Visit(proxy) for _ in range(3)]
    with ThreadPoolExecutor(3) as browsers:
        list(browsers.map(lambda visit: visit.load(path), visits))
    answered = [status for visit in visits for status in visit.statuses.values()]
    assert set(answered) == {200}
    assert len(answered) > 3 * (100 if path == "/chat/room1/" else 10)


def test_nginx_refuses_whoever_asks_for_too_many_pages(proxy: Proxy) -> None:
    with contextlib.ExitStack() as stack:
        visitors = [stack.enter_context(contextlib.closing(proxy.connection())) for _ in range(150)]
        for visitor in visitors:  # at once, however long the site takes to answer
            visitor.request("GET", "/nothing/")
        statuses = [visitor.getresponse().status for visitor in visitors]
    assert set(statuses) == {404, 429}
    assert statuses.count(404) >= 100
    assert proxy.get("/static/site.css")[0] == 200  # which is counted by itself


class Visit:
    """A browser that has nothing of the site yet asks for a page, and for all that the page and its modules name."""

    NAMED = re.compile(
        r"""(?:href|src)="(/(?:static|language)/[^"]+)"|\b(?:from|import)\s*\(?\s*["'](\.[^"']+\.js)["']"""
    )

    def __init__(self, proxy: Proxy) -> None:
        self.proxy = proxy
        self.statuses: dict[str, int] = {}

    def load(self, path: str) -> None:
        headers = {"Accept": "text/html"}
        with ThreadPoolExecutor(6) as pool:  # as many connections as browsers have
            local = threading.local()

            def get(path: str) -> tuple[str, int, str]:
                if not hasattr(local, "connection"):
                    local.connection = self.proxy.connection()
                return path, *ask_on(local.connection, path, headers)

            wanted = [path]
            while wanted:
                self.statuses |= dict.fromkeys(wanted, 0)
                named: list[str] = []
                for asked, status, text in pool.map(get, wanted):
                    self.statuses[asked] = status
                    if asked == path or (asked.endswith(".js") and "/bundle/" not in asked):
                        named += [urljoin(asked, first or second) for first, second in self.NAMED.findall(text)]
                wanted = [name for name in dict.fromkeys(named) if name not in self.statuses]


def ask_on(
    connection: http.client.HTTPConnection, path: str, headers: Mapping[str, str] = MappingProxyType({})
) -> tuple[int, str]:
    """Status and content, on a connection that is kept."""
    connection.request("GET", path, headers=headers)
    answer = connection.getresponse()
    return answer.status, answer.read().decode(errors="replace")


def test_nginx_redirects_plain_http_to_https(proxy: Proxy) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", proxy.plain_port, timeout=10)
    with contextlib.closing(connection):
        connection.request("GET", "/chat/?a=b", headers={"Host": NAME})
        answer = connection.getresponse()
        assert (answer.status, answer.headers["Location"]) == (301, f"https://{NAME}/chat/?a=b")


def test_nginx_logs_no_query_string_and_no_token(proxy: Proxy) -> None:
    proxy.get("/hooks/a-token/")
    proxy.get("/invitations/a-token/")
    proxy.get("/accounts/login/link/a-token/")
    proxy.get("/accounts/notifications/confirm/a-token/")
    proxy.get("/accounts/notifications/unsubscribe/a-token/")
    proxy.get("/chat/?query=somebodys-words")
    log = proxy.place / "chat.log"
    wait_until(lambda: log.exists() and "GET /chat/" in log.read_text())
    assert "somebodys-words" not in log.read_text()
    assert "GET /hooks/*** 405" in log.read_text().replace('"', "")
    assert "GET /invitations/*** 404" in log.read_text().replace('"', "")
    assert "GET /accounts/login/link/*** " in log.read_text().replace('"', "")
    assert "GET /accounts/notifications/confirm/*** " in log.read_text().replace('"', "")
    assert "GET /accounts/notifications/unsubscribe/*** " in log.read_text().replace('"', "")
    assert "a-token" not in log.read_text()


def test_rolling_restart_behind_nginx_loses_no_message(proxy: Proxy) -> None:
    listeners = [BrowserFollower(proxy), BrowserFollower(proxy), GraphQLFollower(proxy)]
    over = threading.Event()
    with ThreadPoolExecutor(5) as people:
        following = [people.submit(listener.follow, over) for listener in listeners]
        posting = people.submit(post_until, proxy, over)
        wait_until(lambda: all(listener.heard for listener in listeners))
        for instance in proxy.instances:
            instance.process.send_signal(signal.SIGTERM)
            instance.process.wait(15)
            instance.__enter__()
            instance.wait_until_it_answers()
        over.set()
        offsets = posting.result(timeout=30)
        assert len(offsets) > 5
        assert offsets == list(range(1, len(offsets) + 1))
        for future in following:
            future.result(timeout=30)
    # They left as soon as it was over; what was said until then came to each of them, once and in order.
    for listener in listeners:
        assert listener.heard == list(range(1, len(listener.heard) + 1))
        assert listener.connections > 1
    with proxy.socket("/ws/chat/room1/?after=0") as late:
        assert [json.loads(late.recv(timeout=10))["offset"] for _ in offsets] == offsets


def post_until(proxy: Proxy, over: threading.Event) -> list[int]:
    """Posts as a good client does, each message until it is acknowledged; the offsets that it is told."""
    offsets = []
    while not over.is_set():
        variables = {"id": f"message {len(offsets)}"}
        with contextlib.suppress(OSError, http.client.HTTPException, KeyError, json.JSONDecodeError):
            status, answer = proxy.get("/graphql", {"query": POST_ONCE, "variables": variables})
            if status == 200:
                offsets.append(json.loads(answer)["data"]["postMessage"]["message"]["offset"])
        time.sleep(0.02)
    return offsets


class BrowserFollower:
    """A browser's listener that reconnects with its position whenever it is cut off."""

    def __init__(self, proxy: Proxy) -> None:
        self.proxy = proxy
        self.heard: list[int] = []
        self.connections = 0

    @property
    def position(self) -> int:
        return self.heard[-1] if self.heard else 0

    def follow(self, over: threading.Event) -> None:
        while not over.is_set():
            with contextlib.suppress(OSError, WebSocketException), self.connect() as socket:
                self.connections += 1
                self.begin(socket)
                while not over.is_set():
                    with contextlib.suppress(TimeoutError):
                        self.take(json.loads(socket.recv(timeout=0.2)))
            time.sleep(0.05)

    def connect(self) -> ClientConnection:
        return self.proxy.socket(f"/ws/chat/room1/?after={self.position}")

    def begin(self, socket: ClientConnection) -> None:
        """The position was in the address."""

    def take(self, frame: Any) -> None:
        self.heard.append(frame["offset"])


class GraphQLFollower(BrowserFollower):
    def connect(self) -> ClientConnection:
        return self.proxy.socket("/graphql", subprotocols=["graphql-transport-ws"])

    def begin(self, socket: ClientConnection) -> None:
        socket.send('{"type": "connection_init"}')
        payload = {"query": FOLLOW, "variables": {"after": self.position}}
        socket.send(json.dumps({"type": "subscribe", "id": "1", "payload": payload}))

    def take(self, frame: Any) -> None:
        if frame["type"] == "next":
            self.heard.append(frame["payload"]["data"]["roomMessages"]["offset"])


# Redis with a password and TLS


@pytest.fixture
def secure_redis(certificate: tuple[Path, Path], tmp_path: Path) -> Iterator[str]:
    """The URL of a Redis or Valkey that asks for a password and speaks TLS only."""
    server = shutil.which("valkey-server", path=SEARCH) or shutil.which("redis-server", path=SEARCH)
    if not server:
        pytest.skip("There is no redis-server: `make test` installs it as root in a container of Debian's")
    port = free_port()
    tls = ["--tls-port", str(port), "--tls-cert-file", certificate[0], "--tls-key-file", certificate[1]]
    options = ["--port", "0", *tls, "--tls-auth-clients", "no", "--requirepass", "a/secret:word", "--save", ""]
    url = f"rediss://:{quote('a/secret:word', safe='')}@127.0.0.1:{port}/0?ssl_ca_certs={quote(str(certificate[0]))}"

    def answers() -> None:
        with redis.Redis.from_url(url) as client:
            client.ping()

    with running([server, *options], answers, cwd=tmp_path, stdout=subprocess.DEVNULL):
        yield url


def test_instances_share_rooms_through_a_redis_with_password_and_tls(
    secure_redis: str, start_servers: Callable[..., list[Server]]
) -> None:
    one, two = start_servers(2, REDIS_URL=secure_redis)
    with connect(f"ws://{one.host}/ws/chat/a/") as speaker, connect(f"ws://{two.host}/ws/chat/a/") as hearer:
        speaker.send('{"message": "hi"}')
        assert json.loads(hearer.recv(timeout=10))["message"] == "hi"
    for server in (one, two):
        with urllib.request.urlopen(f"http://{server.host}/readyz", timeout=10) as answer:
            assert json.load(answer)["redis"] == "ok"
        with urllib.request.urlopen(f"http://{server.host}/metrics", timeout=10) as answer:
            assert b"chat_repaired_total 0.0" in answer.read()  # by Redis, then, and not from the database


def test_site_is_ready_without_redis_when_its_password_is_wrong(
    secure_redis: str, start_servers: Callable[..., list[Server]]
) -> None:
    (server,) = start_servers(1, REDIS_URL=secure_redis.replace("secret", "wrong"))
    with urllib.request.urlopen(f"http://{server.host}/readyz", timeout=10) as answer:
        assert json.load(answer)["redis"].startswith("away")


# PostgreSQL


def test_process_keeps_to_its_limit_of_postgresql_connections_under_load() -> None:
    with postgres() as url:
        variables = {**environment(), "DATABASE_URL": url, "CHAT_DATABASE_CONNECTIONS": "3", "LOG_LEVEL": "ERROR"}
        subprocess.run(
            [sys.executable, "manage.py", "migrate", "--verbosity", "0"], cwd=ROOT, env=variables, check=True
        )
        port = free_port()
        command = [sys.executable, "-m", "uvicorn", "mysite.asgi:application", "--port", str(port), "--lifespan", "off"]

        def get(path: str) -> int:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=30) as answer:
                return answer.status

        place = urlsplit(url).path.rpartition("/")
        with (
            running(command, lambda: get("/readyz"), cwd=ROOT, env=variables),
            psycopg.connect(host=place[0], dbname=place[2], user="postgres", autocommit=True) as watching,
            ThreadPoolExecutor(10) as people,
        ):
            pages = [people.submit(get, "/chat/room1/") for _ in range(200)]
            most = 0
            while not all(page.done() for page in pages):
                most = max(most, connections(watching))
            assert {page.result() for page in pages} == {200}
            assert 1 < most <= 3
            assert connections(watching) <= 3


class Relay:
    """The way to a Unix socket, over TCP, which can be cut and mended."""

    def __init__(self, path: str) -> None:
        self.path, self.port = path, free_port()
        self.pairs: list[socket.socket] = []

    def mend(self) -> None:
        self.listening = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self.accept, args=[self.listening], daemon=True).start()

    def cut(self) -> None:
        self.listening.shutdown(socket.SHUT_RDWR)
        self.listening.close()
        while self.pairs:
            with contextlib.suppress(OSError):
                self.pairs.pop().shutdown(socket.SHUT_RDWR)

    def accept(self, listening: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                here, there = listening.accept()[0], socket.socket(socket.AF_UNIX)
                there.connect(self.path)
                self.pairs += [here, there]
                for one, other in ((here, there), (there, here)):
                    threading.Thread(target=self.carry, args=[one, other], daemon=True).start()

    @staticmethod
    def carry(one: socket.socket, other: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while piece := one.recv(65536):
                other.sendall(piece)
            other.shutdown(socket.SHUT_RDWR)


def test_posting_works_again_within_seconds_once_postgresql_is_back(transactional_db: None) -> None:
    with postgres() as url:
        relay = Relay(f"{urlsplit(url).path.rpartition('/')[0]}/.s.PGSQL.5432")
        relay.mend()
        away = f"postgres://postgres@127.0.0.1:{relay.port}/postgres"
        migrate = [sys.executable, "manage.py", "migrate", "--verbosity", "0"]
        subprocess.run(migrate, cwd=ROOT, env={**environment(), "DATABASE_URL": url}, check=True)
        with Server(DATABASE_URL=away, LOG_LEVEL="CRITICAL") as server:
            server.wait_until_it_answers()
            with connect(f"ws://{server.host}/ws/chat/room1/") as browser:

                def post() -> str:
                    browser.send('{"message": "hi"}')
                    frame = json.loads(browser.recv(timeout=20))
                    return frame["error"]["code"] if "error" in frame else "stored"

                assert post() == "stored"
                relay.cut()
                relay.mend()
                assert post() == "stored"  # it has noticed by itself that its connection was dead
                relay.cut()
                ended = time.monotonic() + 18  # so long that one who tries ever more seldom would sleep for as long
                while time.monotonic() < ended:
                    assert post() == "unavailable"
                relay.mend()
                mended = time.monotonic()
                while post() != "stored":
                    pass
                assert time.monotonic() - mended < 5


def connections(watching: psycopg.Connection[Any]) -> int:
    count = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
    found = watching.execute(count).fetchone()
    return found[0] if found else 0


# Prometheus


@pytest.mark.parametrize("page", ["deploy/alerts.yml", "docs/deploy.md"])
def test_metrics_named_in_alerts_and_docs_exist(page: str) -> None:
    text = re.sub("(manage.py |`)chat_status", "", (ROOT / page).read_text())
    families = {family.name for family in REGISTRY.collect()}
    endings = re.compile("(_total|_bucket|_count|_sum)$")
    named = set(re.findall(r"\b(?:chat|process)_[a-z]\w+", text))
    assert {endings.sub("", name) for name in named} <= families
    assert len(named) > 8


def test_promtool_accepts_the_prometheus_configuration() -> None:
    promtool = shutil.which("promtool", path=SEARCH)
    if not promtool:
        pytest.skip("There is no promtool, which comes with Prometheus")
    subprocess.run([promtool, "check", "config", ROOT / "deploy" / "prometheus.yml"], check=True)


def test_promtool_has_no_complaint_about_our_metrics() -> None:
    promtool = shutil.which("promtool", path=SEARCH)
    if not promtool:
        pytest.skip("There is no promtool, which comes with Prometheus")
    # It complains of names of prometheus_client itself; it should have no complaint about ours.
    done = subprocess.run([promtool, "check", "metrics"], input=generate_latest(), capture_output=True)
    assert "chat_" not in done.stderr.decode()


# systemd


@pytest.mark.parametrize("name", ["chat@.service", "chat-backup.service", "chat-backup.timer"])
def test_systemd_accepts_the_unit(tmp_path: Path, name: str) -> None:
    verifier = shutil.which("systemd-analyze", path=SEARCH)
    if not verifier:
        pytest.skip("There is no systemd here")
    for path in (ROOT / "deploy").glob("chat*.*"):
        shutil.copy(path, tmp_path)
    unit = tmp_path / name
    done = subprocess.run([verifier, "verify", unit], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_command_of_the_systemd_unit_serves_the_site_and_ends_on_sigterm(transactional_db: None) -> None:
    unit = (ROOT / "deploy" / "chat@.service").read_text()
    start = re.search(r"^ExecStart=(.*)$", unit, re.MULTILINE)
    assert start
    port = free_port()
    path = f"{os.path.dirname(sys.executable)}{os.pathsep}{os.environ['PATH']}"
    command = [part.replace("$$", "$") for part in shlex.split(start[1])]

    def answers() -> None:
        urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5).close()

    with running(command, answers, cwd=ROOT, env=environment(PORT=str(port), PATH=path)) as process:
        process.send_signal(signal.SIGTERM)
        assert process.wait(15) in {0, -signal.SIGTERM}
