"""Traces by OpenTelemetry, where a collector is configured by the standard variables (OTEL_EXPORTER_OTLP_ENDPOINT).

OpenTelemetry is imported by `begin`, and by nothing before it. requirements-tracing.txt lists what that needs.
"""

import importlib
import logging
import os
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

from asgiref.typing import ASGI3Application, ASGIReceiveCallable, ASGISendCallable, Scope

from chat import tracing
from chat.connections.shutdown import at_stop
from chat.connections.sockets import until
from chat.tracing import Attribute

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import Tracer

logger = logging.getLogger(__name__)

ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
SERVICE = "chat"  # unless OTEL_SERVICE_NAME says another name
# The queue to the collector, unless OTEL_BSP_… say something else: what comes while it is full is dropped.
QUEUE_MAX = 2048  # spans
# The collector's time to take spans, unless OTEL_EXPORTER_OTLP_TIMEOUT says another.
EXPORT_TIMEOUT = 5.0  # seconds
FLUSH_TIMEOUT = 0.7  # seconds, when the process stops
# Instrumentation that is switched on as well: statements without their values, commands without their arguments.
INSTRUMENTED = {"psycopg": "PsycopgInstrumentor", "redis": "RedisInstrumentor"}


def is_configured(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether a collector is named, and the standard switches are on."""
    is_off = (
        environment.get("OTEL_SDK_DISABLED", "").lower() == "true" or environment.get("OTEL_TRACES_EXPORTER") == "none"
    )
    return not is_off and any(environment.get(name) for name in ENDPOINTS)


def begin() -> bool:
    """Has this process trace, if a collector is configured; returns whether it does.

    To be called once, before there are connections.
    """
    if not is_configured():
        return False
    try:
        provider = _provider()
    except ImportError as error:
        logger.error("Traces need what requirements-tracing.txt lists, so there are none: %s", error)
        return False
    tracing.install(OpenTelemetry(provider.get_tracer("chat")))
    at_stop(partial(_flush, provider))
    logger.info("Traces go to the collector.")
    return True


def _provider() -> "TracerProvider":
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import SERVICE_NAME, Resource
    from opentelemetry.sdk.trace import TracerProvider, sampling
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    os.environ.setdefault("OTEL_BSP_MAX_QUEUE_SIZE", str(QUEUE_MAX))
    timeout = None if os.environ.get("OTEL_EXPORTER_OTLP_TIMEOUT") else EXPORT_TIMEOUT
    # Resource.create reads OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES, the provider OTEL_TRACES_SAMPLER.
    named = {} if os.environ.get("OTEL_SERVICE_NAME") else {SERVICE_NAME: SERVICE}
    resource = Resource.create({**named, "process.pid": os.getpid()})
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    processor = BatchSpanProcessor(OTLPSpanExporter(timeout=timeout))
    provider.add_span_processor(processor)
    # The work of a library within a trace is in there; the looks at the database and Redis every second are in none.
    within = TracerProvider(sampling.ParentBased(sampling.ALWAYS_OFF), resource=resource, shutdown_on_exit=False)
    within.add_span_processor(processor)
    for library, name in INSTRUMENTED.items():
        module = importlib.import_module(f"opentelemetry.instrumentation.{library}")
        getattr(module, name)().instrument(tracer_provider=within, skip_dep_check=True)
    return provider


async def _flush(provider: "TracerProvider") -> None:
    """Hands over what waits for the collector. Nobody waits long for that: the collector may hang."""
    flushing = threading.Thread(target=provider.force_flush, daemon=True)
    flushing.start()
    await until(lambda: not flushing.is_alive(), FLUSH_TIMEOUT)


class OpenTelemetry:
    """The tracer of `chat.tracing`."""

    def __init__(self, tracer: "Tracer") -> None:
        from opentelemetry import trace
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        self._tracer = tracer
        self._trace = trace
        self._propagator = TraceContextTextMapPropagator()

    @contextmanager
    def span(
        self, name: str, parent: str | None, links: Iterable[str], attributes: Mapping[str, Attribute]
    ) -> Iterator[None]:
        context = self._context(parent) if parent else None
        linked = [self._trace.Link(self._span_context(place)) for place in links]
        given: Any = {f"chat.{key}": value for key, value in attributes.items()}
        # An exception's text may have people's words in it: spans say that one came, and the log which.
        with self._tracer.start_as_current_span(
            name, context, links=linked, attributes=given, record_exception=False, set_status_on_exception=False
        ) as span:
            try:
                yield
            except Exception as error:
                span.set_status(self._trace.StatusCode.ERROR, getattr(error, "code", type(error).__name__))
                raise

    def place(self) -> str | None:
        carrier: dict[str, str] = {}
        self._propagator.inject(carrier)
        return carrier.get(tracing.KEY)

    def _context(self, place: str) -> Any:
        return self._propagator.extract({tracing.KEY: place})

    def _span_context(self, place: str) -> Any:
        return self._trace.get_current_span(self._context(place)).get_span_context()


class Traced:
    """ASGI middleware: a span for each request over HTTP that changes something, in the client's trace if it has one.

    It names no address: paths have names of rooms and tokens in them.
    """

    def __init__(self, application: ASGI3Application) -> None:
        self.application = application

    async def __call__(self, scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        if scope["type"] != "http" or scope["method"] != "POST":
            await self.application(scope, receive, send)
            return
        headers = dict(scope["headers"])
        if b"event-stream" in headers.get(b"accept", b""):  # which would be a span for hours
            await self.application(scope, receive, send)
            return
        parent = headers[b"traceparent"].decode("latin1") if b"traceparent" in headers else None
        with tracing.span("http.request", parent=parent, method="POST"):
            await self.application(scope, receive, send)
