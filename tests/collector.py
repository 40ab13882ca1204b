"""A collector of traces: takes spans by OTLP over HTTP, or hangs, or fails."""

import gzip
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

SERVING = "serving"
FAILING = "failing"
HANGING = "hanging"


class Span:
    """A span as the collector got it."""

    def __init__(self, span: Any, process: int) -> None:
        self.name: str = span.name
        self.trace, self.id, self.parent = span.trace_id.hex(), span.span_id.hex(), span.parent_span_id.hex()
        self.links = [link.trace_id.hex() for link in span.links]
        self.process = process
        self.attributes = {one.key: one.value.string_value or one.value.int_value for one in span.attributes}
        self.is_error = span.status.code == 2

    def __repr__(self) -> str:
        return f"{self.name} of process {self.process}"


class Collector:
    """Listens on a port of its own from `with` on."""

    def __init__(self, behaviour: str = SERVING) -> None:
        self.spans: list[Span] = []
        self.bodies: list[bytes] = []
        self.asked = threading.Event()
        self._end = threading.Event()
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                collector.asked.set()
                if behaviour == HANGING:
                    collector._end.wait()
                    return
                if behaviour == SERVING:
                    collector.take(gzip.decompress(body) if self.headers["Content-Encoding"] == "gzip" else body)
                self.send_response(200 if behaviour == SERVING else 400)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> "Collector":
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end.set()
        self._server.shutdown()
        self._server.server_close()

    def take(self, body: bytes) -> None:
        self.bodies.append(body)
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            named = {one.key: one.value for one in resource.resource.attributes}
            for scope in resource.scope_spans:
                self.spans += [Span(span, named["process.pid"].int_value) for span in scope.spans]

    def until(self, condition: Callable[[list[Span]], Any], what: str) -> Any:
        """The result of `condition` among the spans, once it finds something."""
        deadline = time.monotonic() + 60  # seconds, for a machine on which much else runs
        while not (found := condition(list(self.spans))):
            assert time.monotonic() < deadline, f"no {what} among {self.spans}"
            time.sleep(0.02)
        return found
