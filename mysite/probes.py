"""Probes for operators and their machines: `/livez`, `/readyz` and `/metrics`.

They are answered before anything else looks at the request: without a session, and without a check of the host, because
a probe knows an address and no name. They wait for nothing longer than DATABASE_TIMEOUT.
"""

import asyncio
import ipaddress
import json
import os
from collections.abc import Awaitable, Callable, Iterable, Mapping
from functools import partial
from http import HTTPStatus
from pathlib import Path
from weakref import WeakKeyDictionary

from asgiref.typing import ASGI3Application, ASGIReceiveCallable, ASGISendCallable, HTTPScope
from django.conf import settings
from prometheus_client import REGISTRY, CollectorRegistry, Metric, ProcessCollector
from prometheus_client.exposition import choose_encoder
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from chat import log_context
from chat.connections.answers import answer
from chat.connections.shutdown import stopping
from chat.delivery.layer import Layer, describe
from chat.errors import unforeseen
from chat.metrics import TASKS
from chat.storage.database import ask_each_lane
from mysite import workers

DATABASE_TIMEOUT = 2.0  # seconds that the database has to answer

Answer = tuple[HTTPStatus, str, bytes]  # with the type of the content


class Probes:
    """ASGI middleware around everything that serves HTTP."""

    def __init__(self, application: ASGI3Application) -> None:
        self.application = application

    async def __call__(self, scope: HTTPScope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        probe = PROBES.get(scope["path"])
        if probe is None:
            await self.application(scope, receive, send)
            return
        headers = [(b"cache-control", b"no-store"), (b"x-content-type-options", b"nosniff")]
        if scope["method"] in {"GET", "HEAD"}:
            status, content_type, content = await probe(scope)
        else:
            status, content_type, content = HTTPStatus.METHOD_NOT_ALLOWED, "text/plain", b"GET or HEAD\n"
            headers.append((b"allow", b"GET, HEAD"))
        headers += [(b"content-type", content_type.encode()), (b"content-length", str(len(content)).encode())]
        await answer(send, status, headers, b"" if scope["method"] == "HEAD" else content)


async def livez(scope: HTTPScope) -> Answer:
    """Whether the process does anything at all. Without an answer it should be started again."""
    return _json(HTTPStatus.OK, {"alive": True, "process": os.getpid()})


async def readyz(scope: HTTPScope) -> Answer:
    """Whether clients should be sent here. Also without Redis: the chat then goes on more slowly."""
    database, redis = await asyncio.gather(_database_answers(), Layer.here().look())
    state = {
        "ready": database and not stopping(),
        "stopping": stopping(),
        "database": "ok" if database else "does not answer",
        "redis": describe(redis),
        "process": os.getpid(),
    }
    return _json(HTTPStatus.OK if state["ready"] else HTTPStatus.SERVICE_UNAVAILABLE, state)


async def metrics(scope: HTTPScope) -> Answer:
    """The metrics in Prometheus' format, for the addresses in CHAT_METRICS_ALLOW only."""
    headers = dict(scope["headers"])
    if not may_see_metrics(scope.get("client"), headers.get(b"x-forwarded-for", b"").decode("latin1")):
        return HTTPStatus.FORBIDDEN, "text/plain", b"Not from this address: see CHAT_METRICS_ALLOW.\n"
    await Layer.here().look()  # finds out whether Redis is away even while nobody posts
    TASKS.set(len(asyncio.all_tasks()))
    encode, content_type = choose_encoder(headers.get(b"accept", b"").decode("latin1"))
    return HTTPStatus.OK, content_type, encode(_registry())


PROBES: dict[str, Callable[[HTTPScope], Awaitable[Answer]]] = {
    "/livez": livez,
    "/readyz": readyz,
    "/metrics": metrics,
}


def may_see_metrics(client: tuple[str, int] | None, forwarded_for: str) -> bool:
    """Whether all addresses that this request has passed through are in CHAT_METRICS_ALLOW.

    A proxy in front may be on this machine, but its clients aren't. So they have to be allowed as well, whether or not
    the server trusts the proxy. A client behind a Unix socket has no address, and is refused.
    """
    addresses = [client[0] if client else "", *(forwarded_for.split(",") if forwarded_for else [])]
    return all(_is_allowed(address.strip()) for address in addresses)


def _is_allowed(given: str) -> bool:
    try:
        address = ipaddress.ip_address(given)
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    return any(address in ipaddress.ip_network(network) for network in settings.CHAT_METRICS_ALLOW)


def _registry() -> CollectorRegistry:
    """The metrics of this process; where several serve the port, of all of them."""
    if not settings.CHAT_METRICS_FOLDER:
        return REGISTRY
    registry = CollectorRegistry()
    registry.register(Processes(workers.living(Path(settings.CHAT_METRICS_FOLDER))))
    MultiProcessCollector(registry, settings.CHAT_METRICS_FOLDER)
    return registry


class Processes(Collector):
    """Memory, CPU and files of each of several processes. prometheus_client leaves these out where it adds up."""

    def __init__(self, processes: Iterable[str]) -> None:
        self.processes = processes

    def collect(self) -> Iterable[Metric]:
        families: dict[str, Metric] = {}
        for process in self.processes:
            for found in ProcessCollector(pid=partial(str, process), registry=None).collect():
                family = families.setdefault(found.name, Metric(found.name, found.documentation, found.type))
                for sample in found.samples:
                    family.add_sample(sample.name, {"process": process}, sample.value)
        return families.values()


_looking: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Task[bool]] = WeakKeyDictionary()


async def _database_answers() -> bool:
    """Shares one look among all who ask, so that a hanging database doesn't collect queries."""
    loop = asyncio.get_running_loop()
    looking = _looking.get(loop)
    if looking is None or looking.done():
        looking = _looking[loop] = asyncio.create_task(_look(), context=log_context.detached())
    await asyncio.wait([looking], timeout=DATABASE_TIMEOUT)
    return looking.done() and looking.result()


async def _look() -> bool:
    try:
        await ask_each_lane()
    except Exception as error:
        unforeseen(error)  # into the log, if it is anything but Unavailable
        return False
    return True


def _json(status: HTTPStatus, content: Mapping[str, object]) -> Answer:
    return status, "application/json", json.dumps(content, indent=2).encode() + b"\n"
