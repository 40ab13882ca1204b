"""Spans of this process: what is linked, what is told of errors, and what comes of a place that is none."""

import asyncio
import logging
from collections.abc import Iterator

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from chat import log_context, tracing
from chat.actions import posting
from chat.actions.group_commit import GroupCommit
from chat.delivery.hub import Hub
from chat.domain.people import Person
from chat.domain.rooms import find
from chat.errors import BlankMessage
from chat.storage.drafts import Draft
from mysite.tracing import OpenTelemetry, is_configured

ROOM, ANN = find("room"), Person(id="user-1", name="Ann")
PLACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.fixture
def spans() -> Iterator[InMemorySpanExporter]:
    exporter, provider = InMemorySpanExporter(), TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracing.install(OpenTelemetry(provider.get_tracer("test")))
    yield exporter
    tracing.install(None)


def named(spans: InMemorySpanExporter, name: str) -> list:
    return [span for span in spans.get_finished_spans() if span.name == name]


@pytest.mark.django_db(transaction=True)
async def test_commit_of_many_messages_is_linked_to_the_traces_of_all(spans: InMemorySpanExporter) -> None:
    async def post(text: str) -> None:
        with tracing.span("test", text=len(text)):
            await GroupCommit.here().store(Draft(room=ROOM, text=text, person=ANN))

    await asyncio.gather(*(post(text) for text in "abcd"))
    commits = named(spans, "message.commit")
    roots = {span.context.trace_id for span in named(spans, "test")}
    assert sum(span.attributes["chat.messages"] for span in commits) == 4
    (together,) = [span for span in commits if span.attributes["chat.messages"] > 1]
    assert together.parent is None
    assert len(together.links) == together.attributes["chat.messages"]
    assert {link.context.trace_id for link in together.links} <= roots
    assert {span.context.trace_id for span in named(spans, "message.publish")} == roots


async def test_span_of_an_error_has_its_code_and_not_its_text(spans: InMemorySpanExporter) -> None:
    with pytest.raises(BlankMessage):
        await posting.post(room=ROOM, message=" ", person=ANN)
    (span,) = named(spans, "message.post")
    assert (span.status.is_ok, span.status.description) == (False, "blank_message")
    assert not span.events


@pytest.mark.django_db(transaction=True)
async def test_event_with_a_strange_place_is_delivered_all_the_same(spans: InMemorySpanExporter) -> None:
    given = [PLACE, None, 7, "", "x", "00-zz-zz-01", PLACE * 100, ["a"]]
    async with Hub.here().listen([ROOM]) as listener:
        for number, place in enumerate(given):
            message = {"type": "chat.message", "room_id": ROOM.group, "message": str(number), "traceparent": place}
            Hub.here().receive(message)
        heard = [(await anext(aiter(listener))).message for _ in given]
    assert heard == [str(number) for number in range(len(given))]
    first = named(spans, "event.receive")[0]
    assert f"{first.parent.trace_id:032x}" in PLACE
    # A message without a place begins no trace.
    assert len(named(spans, "event.receive")) == len([place for place in given if isinstance(place, str)])


def test_what_comes_later_of_an_event_is_in_its_trace_as_far_as_that_is_known(spans: InMemorySpanExporter) -> None:
    tracing.remember("known", PLACE)
    for id in ("known", "unknown", None):
        with tracing.sequel("webhook.deliver", id):
            pass
    known, unknown, none = named(spans, "webhook.deliver")
    assert f"{known.context.trace_id:032x}" in PLACE
    assert unknown.parent is none.parent is None
    for number in range(tracing.REMEMBERED_MAX):
        tracing.remember(str(number), PLACE)
    assert "known" not in tracing._remembered
    assert len(tracing._remembered) == tracing.REMEMBERED_MAX


def test_log_lines_within_a_trace_have_its_id(spans: InMemorySpanExporter) -> None:
    record = logging.makeLogRecord({"msg": "hi"})
    with tracing.span("outer", parent=PLACE):
        log_context.ConnectionFilter().filter(record)
    assert record.trace_id in PLACE
    assert len(record.span_id) == 16
    record = logging.makeLogRecord({"msg": "hi"})
    log_context.ConnectionFilter().filter(record)
    assert not hasattr(record, "trace_id")


def test_collector_is_configured_by_the_standard_variables() -> None:
    url = "http://127.0.0.1:4318"
    for variables, expected in (
        ({}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": ""}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": url}, True),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": url}, True),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": url, "OTEL_SDK_DISABLED": "true"}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": url, "OTEL_TRACES_EXPORTER": "none"}, False),
    ):
        assert is_configured(variables) is expected, variables
