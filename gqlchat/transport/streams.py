"""Subscriptions as server-sent events, by "GraphQL over SSE" with a connection for each operation.

https://github.com/enisdenjo/graphql-sse/blob/master/PROTOCOL.md#distinct-connections-mode
"""

import asyncio
import contextlib
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from django.conf import settings
from django.utils.translation import gettext_lazy as _
from graphql import OperationType, get_operation_ast
from strawberry.channels.handlers.http_handler import ChannelsRequest
from strawberry.http import GraphQLRequestData, process_result

from chat.connections.event_streams import RESTARTING, last_event_id, retry, served
from chat.connections.registration import registered
from chat.connections.socket_consumer import SocketConsumer
from chat.connections.sockets import Sockets, is_gone
from chat.delivery.hub import Hub
from chat.domain import event_ids, people
from chat.domain.addresses import address_of
from chat.domain.languages import in_language_of
from chat.domain.positions import Position
from chat.domain.presence import Presence, Typing
from chat.errors import ChatError, SessionEnded, TooManyConnections
from chat.token_errors import InvalidToken
from gqlchat.guards import documents
from gqlchat.schema.errors import as_payload
from gqlchat.schema.requests import FollowRequest
from gqlchat.transport.consumers import TOO_MANY, ChatGraphQLHTTPConsumer, RequestAdapter, wants_events
from gqlchat.transport.events import COMPLETE, next_event
from gqlchat.transport.following import Follower
from gqlchat.transport.sharing import Shared, share

NORMAL = 1000
STATUSES = {TOO_MANY: 429}  # over HTTP, by the code with which a WebSocket would be closed
TEXTS = {  # by the reason with which a WebSocket would be closed
    SessionEnded.code: _("You are not logged in as before. Please log in, and subscribe again."),
    InvalidToken.code: _("This token is wrong, has expired or was revoked."),
    TooManyConnections.code: _("Your address has {limit} connections already: close another one first."),
}


class StreamFollower(Follower):
    """A subscriber of a shared operation at a stream. The ids of its events are its position in all of its rooms."""

    def __init__(self, consumer: "StreamConsumer", shared: Shared) -> None:
        # A server may be able to write events at once, as others write frames: mysite.http_protocol.
        ways = {"write_frame": consumer.scope.get("write_body"), "direct_send": consumer.scope["direct_send"]}
        super().__init__(shared, scope=ways, send=consumer.base_send)
        self.consumer = consumer
        self.told: dict[Any, Position] = {}

    async def started_to_hear(self) -> None:
        """Tells the client where it is: it may have to come back before the first event."""
        if not self.live_kinds:
            self.told = self.heard
            await self._send({"type": "websocket.send", "bytes": f"id: {event_ids.encode(self.told)}\n\n".encode()})

    def frame_of(self, event: Any, payload: bytes) -> bytes:
        if isinstance(event, Presence | Typing) or event.offset is None:
            return next_event(payload)
        self.told[event.log] = event.position or Position(event.offset)
        return next_event(payload, event_ids.encode(self.told).encode())

    def message_of(self, frame: bytes) -> dict[str, Any]:
        return {"type": "websocket.send", "bytes": frame}

    async def fail(self, error: Exception) -> None:
        await self.stop_following()
        if not is_gone(error):
            await self.consumer.refuse(error)

    async def stop_following(self) -> None:
        await self.close()
        await Hub.here().leave(self)


class StreamConsumer(SocketConsumer):
    """One subscription, whose results are sent as events."""

    follower: StreamFollower | None = None
    running: asyncio.Task[None] | None = None

    def __init__(self, schema: Any) -> None:
        super().__init__()
        self.schema = schema

    async def connect(self) -> None:
        try:
            Sockets.here().admit(address_of(self.scope))
        except TooManyConnections as error:
            await self.close(TOO_MANY, error.code)
            return
        await self.accept()
        # While it runs, the client's going is noticed.
        self.running = asyncio.create_task(self.run(self.scope["graphql"]))

    @property
    def busy(self) -> bool:
        return self.handling or (self.follower is not None and self.follower.waiting)

    async def run(self, operation: GraphQLRequestData) -> None:
        with contextlib.suppress(OSError):  # the client is gone
            try:
                if not await self.follow(operation):
                    await self.execute(operation)
            except OSError:
                raise
            except Exception as error:
                await self.refuse(error)

    async def follow(self, operation: GraphQLRequestData) -> bool:
        """Starts to write the results of a shared subscription; False if it has to be executed on its own."""
        person = people.of_scope(self.scope)
        try:
            shared = share(self.schema, operation.query or "", operation.variables, operation.operation_name, person)
        except ChatError:
            return False  # its own execution says so
        if shared is None:
            return False
        shared = replace(shared, request=resumed(shared.request, last_event_id(self.scope)))
        self.follower = StreamFollower(self, shared)
        await self.follower.begin(shared.request)
        return True

    async def execute(self, operation: GraphQLRequestData) -> None:
        results = await self.schema.stream(
            operation.query,
            variable_values=operation.variables,
            context_value={"request": self},
            operation_name=operation.operation_name,
        )
        async with contextlib.aclosing(results):
            async for result in results:
                await self.send_result(process_result(result))
        await self.complete()

    async def refuse(self, error: Exception) -> None:
        """Ends the stream with an error."""
        with contextlib.suppress(OSError):
            await self.send_result({"errors": [as_payload(error, {"request": self})]})
            await self.complete()

    async def send_result(self, result: Mapping[str, Any]) -> None:
        payload = json.dumps(result, ensure_ascii=False, separators=(",", ":"))
        await self.send(bytes_data=next_event(payload.encode(errors="replace")))

    async def complete(self) -> None:
        await self.send(bytes_data=COMPLETE)
        await self.close(NORMAL)

    async def leave(self) -> None:
        if self.running is not None:
            self.running.cancel()
            await asyncio.wait([self.running])
        if self.follower is not None:
            await self.follower.stop_following()
        self.running = self.follower = None  # which have this consumer


class Form:
    """How GraphQL's streams are refused and ended."""

    def event(self, text: str) -> bytes:
        return next_event(text.encode())

    def refusal(self, scope: Any, code: int, reason: str) -> tuple[int, bytes]:
        return STATUSES.get(code, 403), error_result(scope, reason)

    def farewell(self, scope: Any, code: int, reason: str) -> bytes:
        if code == NORMAL:
            return b""
        if code == RESTARTING:
            return retry()  # without `complete`, so that clients come back
        return next_event(error_result(scope, reason)) + COMPLETE


def error_result(scope: Any, reason: str) -> bytes:
    with in_language_of(scope):
        text = TEXTS.get(reason, _("Something went wrong on the server."))
        message = text.format(limit=settings.CHAT_CONNECTIONS_PER_ADDRESS)
    return json.dumps({"errors": [{"message": message, "extensions": {"code": reason}}]}).encode()


def resumed(request: FollowRequest, event_id: str) -> FollowRequest:
    """The request of a client that goes on after that event: from its positions.

    Raises InvalidPosition.
    """
    if not event_id or request.live_kinds:
        return request
    return request.resumed(event_ids.decode(event_id, request.logs))


def with_streams(schema: Any, consumer: Any) -> Any:
    """ASGI application for HTTP: subscriptions that are asked for as events; `consumer` answers all other requests."""
    stream = served(registered(StreamConsumer.as_asgi(schema=schema), door="graphql-sse"), Form())

    async def application(scope: Any, receive: Any, send: Any) -> None:
        if scope["method"] not in {"GET", "POST"} or not wants_events(scope):
            await consumer(scope, receive, send)
            return
        operation = await subscription_of(schema, scope)
        if operation is None:
            await consumer(scope, receive, send)
        else:
            await stream({**scope, "graphql": operation}, receive, send)

    return application


async def subscription_of(schema: Any, scope: Any) -> GraphQLRequestData | None:
    """The subscription that a request asks for; None if it is another operation, or makes no sense."""
    view = ChatGraphQLHTTPConsumer(schema=schema)
    view.scope = scope
    try:
        asked = await view.parse_http_body(RequestAdapter(ChannelsRequest(view, scope["body"])))
        assert isinstance(asked, GraphQLRequestData)
        asked.operation_name = documents.check_operation_name(asked.query, asked.operation_name)
        operation = get_operation_ast(documents.read(asked.query or ""), asked.operation_name)
    except Exception:
        return None  # the consumer finds the same error, and says so
    return asked if operation and operation.operation is OperationType.SUBSCRIPTION else None
