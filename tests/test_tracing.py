"""Traces: what each process did with a message is in one; a collector that hangs, or none, does no harm."""

import json
import subprocess
import sys
import urllib.request
from collections.abc import Callable

from websockets.sync.client import ClientConnection, connect

from tests.collector import FAILING, HANGING, Collector, Span
from tests.servers import ROOT, Server, environment

SOON = {"OTEL_BSP_SCHEDULE_DELAY": "100"}  # milliseconds until spans are sent
CLIENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"  # a place in a client's trace
POST = (
    """mutation ($text: String!) { postMessage(input: {roomName: "secretroom", message: $text}) { error { code } } }"""
)
LISTEN = "ws://{server.host}/ws/chat/secretroom/"


def say(socket: ClientConnection, text: str) -> None:
    """Says it, and waits until it is heard."""
    socket.send(json.dumps({"message": text}))
    hear(socket, text)


def hear(socket: ClientConnection, text: str) -> None:
    while json.loads(socket.recv(timeout=30)).get("message") != text:
        pass


def mutate(server: Server, text: str, **headers: str) -> None:
    body = json.dumps({"query": POST, "variables": {"text": text}}).encode()
    headers = {"Content-Type": "application/json", "Origin": f"http://{server.host}", **headers}
    with urllib.request.urlopen(urllib.request.Request(f"http://{server.host}/graphql", body, headers)) as answer:
        assert json.load(answer) == {"data": {"postMessage": {"error": None}}}


def whole_trace(spans: list[Span], first: str) -> dict[tuple[str, int], Span] | None:
    """By name and process: the trace that begins with a span of that name, once the last spans of both are there."""
    traces = {span.trace for span in spans if span.name == first}
    found = {(span.name, span.process): span for span in spans if span.trace in traces}
    # A span comes when it has ended, so a process's outermost one comes last.
    return found if {first, "event.receive"} <= {name for name, _ in found} else None


def check_parentage(
    found: dict[tuple[str, int], Span], parentage: list[tuple[tuple[str, int], tuple[str, int]]]
) -> None:
    for child, parent in parentage:
        assert found[child].parent == found[parent].id, (child, parent)


def test_trace_of_a_message_goes_through_two_processes_in_right_parentage(
    start_servers: Callable[..., list[Server]],
) -> None:
    with Collector() as collector:
        servers = start_servers(2, OTEL_EXPORTER_OTLP_ENDPOINT=collector.url, **SOON)
        one, two = (server.process.pid for server in servers)
        with connect(LISTEN.format(server=servers[0])) as near, connect(LISTEN.format(server=servers[1])) as far:
            say(near, "said by socket")
            hear(far, "said by socket")
            found = collector.until(lambda spans: whole_trace(spans, "socket.frame"), "trace of a frame")
            from_socket = [
                (("message.post", one), ("socket.frame", one)),
                (("message.commit", one), ("message.post", one)),
                (("message.publish", one), ("message.post", one)),
                (("event.deliver", one), ("message.publish", one)),
                (("event.receive", two), ("message.publish", one)),
                (("event.deliver", two), ("event.receive", two)),
            ]
            check_parentage(found, from_socket)
            assert found["socket.frame", one].parent == ""
            assert found["event.deliver", two].attributes == {"chat.listeners": 1}

            mutate(servers[1], "said by mutation", traceparent=CLIENT)
            hear(near, "said by mutation")
            found = collector.until(lambda spans: whole_trace(spans, "http.request"), "trace of a mutation")
            from_mutation = [
                (("message.post", two), ("http.request", two)),
                (("event.receive", one), ("message.publish", two)),
            ]
            check_parentage(found, from_mutation)
            _, trace, parent, _ = CLIENT.split("-")
            assert (found["http.request", two].trace, found["http.request", two].parent) == (trace, parent)
    told = b"".join(collector.bodies)
    for secret in (b"said by", b"secretroom", b"/graphql", b"guest-"):
        assert secret not in told, secret


def test_collector_that_hangs_or_fails_delays_nothing_and_no_end(start_servers: Callable[..., list[Server]]) -> None:
    with Collector(HANGING) as hanging, Collector(FAILING) as failing:
        for collector in (hanging, failing):
            (server,) = start_servers(
                1, OTEL_EXPORTER_OTLP_ENDPOINT=collector.url, OTEL_BSP_MAX_QUEUE_SIZE="8",
                OTEL_BSP_MAX_EXPORT_BATCH_SIZE="4", **SOON,
            )  # fmt: skip
            with connect(LISTEN.format(server=server)) as socket:
                for number in range(20):
                    say(socket, f"{collector.url} {number}")
                assert collector.asked.wait(60)
                say(socket, f"{collector.url} after all")
            server.process.terminate()
            assert server.process.wait(60) in {0, -15}  # and not 1, which is by force


def test_without_a_collector_nothing_is_imported_for_traces() -> None:
    look = """if True:
        import sys, mysite.asgi
        from chat import tracing
        assert tracing.place() is None and tracing.span("any") is tracing.NOTHING
        # redis-py by itself imports what it finds of OpenTelemetry.
        print([name for name in sys.modules if name.startswith(("opentelemetry.exporter", "opentelemetry.instrum"))])
    """
    variables = environment(DATABASE_URL="", OTEL_EXPORTER_OTLP_ENDPOINT="")
    done = subprocess.run([sys.executable, "-c", look], cwd=ROOT, env=variables, capture_output=True, text=True)
    assert (done.stdout, done.returncode) == ("[]\n", 0), done.stderr
