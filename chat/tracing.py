"""Traces of a message from socket to socket. Without a collector nothing is traced, and nothing is imported for it.

`mysite.tracing` installs the tracer where a collector is configured. Between processes, and between tasks, a place in a
trace goes as text: the `traceparent` of https://www.w3.org/TR/trace-context/.

Attributes are numbers and words of ours: no texts, no names, no ids of people, no tokens.
"""

import functools
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any, ParamSpec, Protocol, TypeVar

Given = ParamSpec("Given")
Result = TypeVar("Result")
Attribute = str | int | float | bool

KEY = "traceparent"  # of a group's message, and of a request's headers
REMEMBERED_MAX = 10_000  # events whose places are remembered, for what comes later of them
NOTHING: AbstractContextManager[None] = nullcontext()


class Tracer(Protocol):
    def span(
        self, name: str, parent: str | None, links: Iterable[str], attributes: Mapping[str, Attribute]
    ) -> AbstractContextManager[None]: ...

    def place(self) -> str | None: ...


_tracer: Tracer | None = None
_remembered: OrderedDict[str, str] = OrderedDict()  # places of events, by their ids


def install(tracer: Tracer | None) -> None:
    """Has this process trace from now on; with None, no longer."""
    global _tracer
    _tracer = tracer
    _remembered.clear()


def span(
    name: str, *, parent: str | None = None, links: Iterable[str] = (), **attributes: Attribute
) -> AbstractContextManager[None]:
    """A span for the time of a block.

    It belongs to the span at the place `parent`, or else to that of the surrounding block, or begins a trace. `links`
    are places in other traces that it has to do with.
    """
    return NOTHING if _tracer is None else _tracer.span(name, parent, links, attributes)


def step(name: str, **attributes: Attribute) -> AbstractContextManager[None]:
    """The same within the span of the surrounding block; nothing where there is none."""
    return NOTHING if _tracer is None or _tracer.place() is None else _tracer.span(name, None, (), attributes)


def arrival(name: str, message: Mapping[str, Any]) -> AbstractContextManager[None]:
    """A span that belongs to the place that a group's message has brought; nothing if it has brought none."""
    if _tracer is None or not isinstance(place := message.get(KEY), str):
        return NOTHING
    if isinstance(id := message.get("id"), str):
        remember(id, place)
    return _tracer.span(name, place, (), {})


def sequel(name: str, event_id: str | None, **attributes: Attribute) -> AbstractContextManager[None]:
    """A span for what comes later of an event: in its trace, if this process has heard of that."""
    return NOTHING if _tracer is None else _tracer.span(name, _remembered.get(event_id or ""), (), attributes)


def remember(event_id: str, place: str) -> None:
    _remembered[event_id] = place
    if len(_remembered) > REMEMBERED_MAX:
        _remembered.popitem(last=False)


def place() -> str | None:
    """The place in a trace of the code that calls this; None where nothing is traced."""
    return None if _tracer is None else _tracer.place()


def ids() -> tuple[str, str] | None:
    """The ids of the trace and of the span at that place."""
    if (here := place()) is None:
        return None
    _version, trace_id, span_id, _flags = here.split("-")
    return trace_id, span_id


def traced(name: str) -> Callable[[Callable[Given, Awaitable[Result]]], Callable[Given, Awaitable[Result]]]:
    """Decorator: a span for each call of an asynchronous function."""

    def decorate(function: Callable[Given, Awaitable[Result]]) -> Callable[Given, Awaitable[Result]]:
        @functools.wraps(function)
        async def call(*args: Given.args, **kwargs: Given.kwargs) -> Result:
            with span(name):
                return await function(*args, **kwargs)

        return call

    return decorate
