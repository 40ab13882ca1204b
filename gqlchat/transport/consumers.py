"""GraphQL's two doors: Strawberry's Channels consumers, made fit for strangers."""

import json
import secrets
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from cross_web import HTTPException
from csp.constants import NONCE
from csp.utils import build_policy
from django.conf import settings
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.http import parse_header_parameters
from strawberry.channels import GraphQLHTTPConsumer, GraphQLWSConsumer
from strawberry.channels.handlers.http_handler import ChannelsRequest, ChannelsRequestAdapter, ChannelsResponse
from strawberry.http import GraphQLRequestData
from strawberry.http.temporal_response import TemporalResponse
from strawberry.schema.exceptions import InvalidOperationTypeError
from strawberry.subscriptions import GRAPHQL_TRANSPORT_WS_PROTOCOL, GRAPHQL_WS_PROTOCOL

from chat.actions.rate_limits import check_frame
from chat.connections import event_streams
from chat.connections.socket_consumer import SocketConsumer
from chat.connections.sockets import Sockets
from chat.domain import people
from chat.domain.addresses import address_of
from chat.domain.people import GRANT_KEY
from chat.errors import FrameTooLong, TooManyConnections
from gqlchat.schema.errors import as_payload
from gqlchat.transport.events import COMPLETE, next_event
from gqlchat.transport.persisted_queries import PERSISTED_QUERY_NOT_SUPPORTED, is_probe
from gqlchat.transport.protocols import LegacyWSHandler, TooLong, TransportWSHandler, WebSocketAdapter

TOO_MANY = 4429
JSON = "application/json"
GRAPHQL = "application/graphql-response+json"
HTML = "text/html"
BY_EVENTS = "ask for it with Accept: text/event-stream, or over WebSocket"
EVENTS = event_streams.CONTENT_TYPE
ACCEPT_MAX = 1000  # characters of an Accept header that are read: to read 40,000 of them takes Django 60 ms


class RequestAdapter(ChannelsRequestAdapter):
    """Reads headers as HTTP has them: any byte may be in a cookie, UTF-8 or not."""

    @property
    def headers(self) -> dict[str, str]:
        headers = self.request.consumer.scope["headers"]
        return {name.decode("latin1").lower(): value.decode("latin1") for name, value in headers}

    @property
    def content_type(self) -> str:
        return self.headers.get("content-type", "").lower()


def preferred_type(scope: Mapping[str, Any], *offered: str) -> str:
    """The type of those `offered` (JSON, GRAPHQL and EVENTS) that the client prefers; JSON where it prefers none."""
    accepted = [value.decode("latin1") for name, value in scope["headers"] if name.lower() == b"accept"]
    asked = HttpRequest()
    asked.META["HTTP_ACCEPT"] = (accepted[-1] if accepted else "*/*")[:ACCEPT_MAX]
    return asked.get_preferred_type(offered or (JSON, GRAPHQL, EVENTS)) or JSON


def wants_events(scope: Mapping[str, Any]) -> bool:
    return preferred_type(scope) == EVENTS


class ChatGraphQLHTTPConsumer(GraphQLHTTPConsumer):
    """Queries and mutations, and the page to try them on: https://graphql.github.io/graphql-over-http/"""

    channel_layer_alias = None  # one channel for each request would cost two Redis commands, for nothing
    request_adapter_class = RequestAdapter

    async def run(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        """A request that can't be understood is answered the way GraphQL answers: by `errors`."""
        try:
            return await super().run(request, *args, **kwargs)
        except PersistedQueryNotSupported:
            status = 400 if preferred_type(self.scope) == GRAPHQL else 200  # as for other operations that can't be run
            return self.refusal(request, status, PERSISTED_QUERY_NOT_SUPPORTED)
        except HTTPException as error:
            changes_by_get = request.method == "GET" and isinstance(error.__cause__, InvalidOperationTypeError)
            is_subscription = error.reason.startswith("subscriptions are not allowed")
            message = f"{error.reason}: {BY_EVENTS}" if is_subscription else error.reason
            return self.refusal(request, 405 if changes_by_get else error.status_code, {"message": message})
        except Exception as error:
            return self.refusal(request, 500, as_payload(error, {"request": request}))

    def refusal(self, request: ChannelsRequest, status: int, error: dict[str, Any]) -> ChannelsResponse:
        headers = {b"Allow": b"POST" if request.method == "GET" else b"GET, POST"} if status == 405 else {}
        content = json.dumps({"errors": [error]}).encode()
        content_type = preferred_type(self.scope)
        if content_type == EVENTS and status in {200, 400}:  # the protocol has errors of the operation be results
            return ChannelsResponse(next_event(content) + COMPLETE, content_type=EVENTS)
        content_type = JSON if content_type == EVENTS else content_type
        return ChannelsResponse(content, status, content_type=content_type, headers=headers)

    async def get_sub_response(self, request: ChannelsRequest) -> TemporalResponse:
        # The answer depends on the person, whom a cache on the way wouldn't look at.
        content_type = preferred_type(self.scope)
        return TemporalResponse(headers={"Content-Type": content_type, "Cache-Control": "no-store", "Vary": "Accept"})

    def create_response(self, response_data: Any, sub_response: TemporalResponse) -> ChannelsResponse:
        if sub_response.headers["Content-Type"] == GRAPHQL and could_not_run(response_data):
            del response_data["data"]
            sub_response.status_code = 400
        response: ChannelsResponse = super().create_response(response_data, sub_response)
        if sub_response.headers["Content-Type"] == EVENTS:
            response.content = next_event(response.content) + COMPLETE
        return response

    def should_render_graphql_ide(self, request: Any) -> bool:
        """A browser that opens a URL with a query gets the page too, which takes the query from there."""
        if not settings.CHAT_GRAPHIQL or "extensions" in request.query_params:
            return False
        if "query" in request.query_params:
            return request.method == "GET" and preferred_type(self.scope, JSON, GRAPHQL, HTML) == HTML
        return super().should_render_graphql_ide(request)

    async def parse_http_body(self, request: Any) -> Any:
        # Forms of foreign sites can send anything but JSON: to insist on it is what keeps them out.
        if request.method == "POST" and parse_header_parameters(request.content_type)[0] != JSON:
            raise HTTPException(415, f"Send JSON, with Content-Type: {JSON}.")
        try:
            data = await super().parse_http_body(request)
        except (AttributeError, TypeError, ValueError, RecursionError):  # ValueError: not UTF-8, or 5,000 digits
            raise HTTPException(400, "The request is no JSON object.") from None
        if isinstance(data, GraphQLRequestData) and is_probe({"query": data.query, "extensions": data.extensions}):
            raise PersistedQueryNotSupported
        return data

    async def render_graphql_ide(self, request: ChannelsRequest) -> ChannelsResponse:
        if settings.CHAT_GUESTS and GRANT_KEY not in self.scope:
            # A guest's session begins here, as a WebSocket can't begin one: all that runs on the page is one person's.
            people.of_scope(self.scope, remember=True)
        # GraphiQL's editor makes style elements, which the nonce lets in. An answer has a new one each time.
        nonce = secrets.token_urlsafe(16)
        page = render_to_string("graphiql.html", {"nonce": nonce})
        policy = build_policy(update={"style-src": NONCE}, nonce=nonce)
        headers = {
            b"Content-Security-Policy": policy.encode(),
            b"Cache-Control": b"no-store",
            b"Vary": b"Accept, Cookie",
        }
        return ChannelsResponse(page.encode(), content_type="text/html; charset=utf-8", headers=headers)


class PersistedQueryNotSupported(Exception):
    """A request has the hash of a document in the place of a document."""


def could_not_run(result: dict[str, Any]) -> bool:
    """Whether the operation was not even begun: else there are data, or errors have a path, the place of a field."""
    return result["data"] is None and not any("path" in error for error in result["errors"])


class ChatGraphQLWSConsumer(SocketConsumer, GraphQLWSConsumer):
    """Subscriptions, queries and mutations over both subprotocols."""

    graphql_transport_ws_handler_class = TransportWSHandler
    graphql_ws_handler_class = LegacyWSHandler
    websocket_adapter_class = WebSocketAdapter

    handler: Any = None  # the subprotocol's, once there is one

    def __init__(self, **options: Any) -> None:
        patience = timedelta(seconds=settings.CHAT_INIT_TIMEOUT)
        # The handlers count subscriptions themselves, and say what it is that there are too many of.
        super().__init__(connection_init_wait_timeout=patience, max_subscriptions_per_connection=None, **options)
        del self.message_queue  # frames are handled one by one, as they come
        del self.listen_queues, self._group_refs, self._group_lock  # for `listen_to_channel`: there is no layer here

    @property
    def websocket_subprotocols(self) -> list[str]:
        legacy = [GRAPHQL_WS_PROTOCOL] if settings.CHAT_LEGACY_GRAPHQL_WS else []
        return [GRAPHQL_TRANSPORT_WS_PROTOCOL, *legacy]

    async def connect(self) -> None:
        try:
            Sockets.here().admit(address_of(self.scope))
        except TooManyConnections as error:
            await self.accept(await self.pick_websocket_subprotocol(self))
            await self.close(TOO_MANY, error.code)
        else:
            await self.run(self)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        if self.handler is None:
            return  # refused, and closing
        if text_data is None:
            await self.handler.handle_binary()
        else:
            await self.handler.handle_message(self.decode_json(text_data))

    @property
    def busy(self) -> bool:
        return self.handling or (self.handler is not None and self.handler.busy)

    async def leave(self) -> None:
        if self.handler:
            await self.handler.shutdown()
            self.handler = None  # it has this consumer: neither would be freed before the collector looks

    def get_websocket_headers(self, request: Any) -> Mapping[str, str]:
        """None: Strawberry reads them to compare origins, which `mysite.origins` has done."""
        return {}

    def decode_json(self, data: str | bytes) -> object:
        """The content of a frame; None, which no frame may be, if it is not JSON."""
        assert isinstance(data, str)
        try:
            frame = json.loads(data)
        except (ValueError, RecursionError):
            return None
        try:
            check_frame(data)
        except FrameTooLong as error:
            return TooLong(frame, error)
        return frame
