"""Both WebSocket subprotocols, as Strawberry speaks them; here is what they do with frames that make no sense.

`graphql-transport-ws` demands that a frame which isn't one of its own ends the connection (4400). An operation that
makes no sense is answered by an `error` for that operation, and the connection lives on; in `graphql-ws`, which leaves
it open, so is everything else.
"""

import asyncio
import contextlib
from collections.abc import MutableMapping
from typing import Any

from django.conf import settings
from django.utils.translation import gettext_lazy as _
from strawberry.channels.handlers.ws_handler import ChannelsWebSocketAdapter
from strawberry.subscriptions.protocols.graphql_transport_ws.handlers import BaseGraphQLTransportWSHandler, Operation
from strawberry.subscriptions.protocols.graphql_ws.handlers import BaseGraphQLWSHandler

from chat.actions import rate_limits
from chat.connections.authentication import TRY_AGAIN
from chat.connections.bearer import authorizations_in, let_in
from chat.connections.sockets import LOG_IN
from chat.delivery.detached_tasks import DetachedTasks
from chat.errors import FrameTooLong, TooManySubscriptions, Unavailable
from chat.token_errors import InvalidToken
from gqlchat.transport.following import Following
from gqlchat.transport.persisted_queries import PERSISTED_QUERY_NOT_SUPPORTED, is_probe

STARTS = {"subscribe", "start"}
ENDS = {"complete", "stop"}
OTHERS = {"connection_init", "connection_terminate", "ping", "pong"}

QUERY_MISSING = "`query` must be a string"
NOT_INITIALISED = 4408
MESSAGE_TOO_BIG = 1009
TOO_MANY_INITS = 4429  # as graphql-transport-ws has it


class WebSocketAdapter(ChannelsWebSocketAdapter):
    """Sends, and takes it that the client may be gone: the consumer is told next, and ends all operations."""

    async def send_json(self, message: Any) -> None:
        with contextlib.suppress(OSError):
            await super().send_json(message)

    async def close(self, code: int, reason: str) -> None:
        with contextlib.suppress(OSError):
            await super().close(code, reason)


class TooLong:
    """A frame that is longer than it may be, and why that is; `id` is that of the operation it would have begun."""

    def __init__(self, frame: object, error: FrameTooLong) -> None:
        match frame:
            case {"type": "subscribe" | "start", "id": str(id)}:
                self.id = id
            case _:
                self.id = ""
        self.error = error


class Guarded(Following):
    """The part of both handlers that looks at frames first: whether they are of the protocol, and not too much.

    It also closes connections that don't say `connection_init` in time, in both protocols, though only the newer one
    has that rule. Strawberry keeps a task for it with each connection, even after the time.
    """

    connection_acknowledged: bool
    connection_timed_out: bool
    _init_timer: asyncio.TimerHandle | None = None

    async def handle(self) -> None:
        self._init_timer = asyncio.get_running_loop().call_later(settings.CHAT_INIT_TIMEOUT, self._give_up)
        await super().handle()

    def _give_up(self) -> None:
        self._init_timer = None
        self.connection_timed_out = True
        closing = self.websocket.close(NOT_INITIALISED, "Connection initialisation timeout")
        DetachedTasks.here().start(closing)

    def stop_init_timer(self) -> None:
        if self._init_timer is not None:
            self._init_timer.cancel()
            self._init_timer = None  # which has this handler

    @property
    def busy(self) -> bool:
        """Whether there are operations under way that will end by themselves, or events that wait to be written."""
        return len(self.under_way) > len(self.followers) or any(one.waiting for one in self.followers.values())

    async def handle_message(self, message: Any) -> None:
        if isinstance(message, TooLong):
            await self.refuse(message)
        elif problem := problem_with(message):
            await self.complain(message, problem)
        elif message["type"] == "connection_init":
            self.stop_init_timer()
            # Null is as good as nothing, which Strawberry takes for granted in one of the protocols only.
            payload = {} if message.get("payload") is None else message["payload"]
            if isinstance(payload, dict) and (authorizations := authorizations_in(payload)):
                if not await self.let_in(*authorizations):
                    return
                payload = {}  # it has the token, which nothing else need see
            await super().handle_message({"type": "connection_init", "payload": payload})  # type: ignore[misc]
        elif message["type"] in STARTS and is_probe(message["payload"]):
            await self.refuse_probe(message)
        elif message["type"] in STARTS and self.is_full(message["id"]):
            rate_limits.hit("subscriptions")
            limit = settings.CHAT_SUBSCRIPTIONS_PER_CONNECTION
            text = _("A connection has {limit} subscriptions at most: end another one first.")
            await self.refuse_operation(message["id"], TooManySubscriptions(text, limit=limit))
        else:
            await super().handle_message(message)  # type: ignore[misc]

    async def let_in(self, *authorizations: object) -> bool:
        """Has the connection be that of a token's user from now on. Where that can't be, closes it: then it is False.

        What it was before counts for nothing any more. A connection that has begun already stays whose it is.
        """
        if self.connection_acknowledged:
            await self.websocket.close(TOO_MANY_INITS, "Too many initialisation requests")
            return False
        scope = self.view.scope
        try:
            await let_in(scope, *authorizations)
        except InvalidToken as error:
            await self.websocket.close(LOG_IN, error.code)
            return False
        except Unavailable as error:
            await self.websocket.close(TRY_AGAIN, error.code)
            return False
        scope["socket"].log_in(scope)
        return True

    def is_full(self, id: str) -> bool:
        """Whether an operation of that id would be one too many."""
        limit = settings.CHAT_SUBSCRIPTIONS_PER_CONNECTION
        return self.connection_acknowledged and id not in self.under_way and len(self.under_way) >= limit

    async def refuse_probe(self, message: dict[str, Any]) -> None:
        """Answers an operation that has the hash of a document in its place."""
        if self.connection_acknowledged and message["id"] not in self.under_way:
            await self.send_error(message["id"], PERSISTED_QUERY_NOT_SUPPORTED)
        else:
            await self.complain(message, QUERY_MISSING)

    async def refuse(self, frame: TooLong) -> None:
        """Answers the operation that the frame would have begun; where there is none to answer, that is the end."""
        if frame.id and frame.id not in self.under_way and self.connection_acknowledged:
            await self.refuse_operation(frame.id, frame.error)
        else:
            await self.websocket.close(MESSAGE_TOO_BIG, frame.error.code)

    async def complain(self, message: Any, problem: str) -> None:
        """Says that a frame is none of the protocol's."""
        raise NotImplementedError


class TransportWSHandler(Guarded, BaseGraphQLTransportWSHandler[Any, Any]):
    """`graphql-transport-ws`"""

    next_type = "next"

    async def shutdown(self) -> None:
        self.stop_init_timer()
        await super().shutdown()

    async def handle_binary(self) -> None:
        await self.handle_invalid_message("WebSocket message type must be text")

    @property
    def under_way(self) -> MutableMapping[str, Any]:
        return self.operations

    async def complain(self, message: Any, problem: str) -> None:
        await self.handle_invalid_message(problem)

    async def run_operation(self, operation: Operation[Any, Any]) -> None:
        asked = operation.query, operation.variables, operation.operation_name
        if await self.follow(operation.id, operation, *asked):
            # Thousands needn't keep a copy each of what is shared, nor a task that ends here.
            operation.query, operation.variables, operation.task = "", None, None
        else:
            await super().run_operation(operation)

    async def cleanup_operation(self, operation_id: str) -> None:
        if operation := self.operations.get(operation_id):
            operation.completed = True  # whatever it still does, it says nothing under an id that may be another's
            if operation.task is None:
                del self.operations[operation_id]
            else:
                await super().cleanup_operation(operation_id)
                operation.task = None  # a task that is cancelled keeps its frames, where the operation is
        await self.unfollow_id(operation_id)

    async def send_error(self, id: Any, error: dict[str, Any]) -> None:
        answer: Any = {"id": id, "type": "error", "payload": [error]}
        await self.send_message(answer)

    @staticmethod
    def _get_pre_execution_close_reason(error: Exception) -> None:
        return None  # a query with a syntax error is answered like any other that can't be run


class AnyOperation:
    """A schema that is asked to subscribe, and runs queries and mutations too."""

    def __init__(self, schema: Any) -> None:
        self.subscribe = schema.stream


class LegacyWSHandler(Guarded, BaseGraphQLWSHandler[Any, Any]):
    """`graphql-ws`, the older one; its clients send queries and mutations through it, which Strawberry doesn't take."""

    next_type = "data"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.schema: Any = AnyOperation(self.schema)

    async def handle_binary(self) -> None:
        await self.websocket.close(code=1002, reason="WebSocket message type must be text")

    async def shutdown(self) -> None:
        self.stop_init_timer()
        await self.cleanup()

    @property
    def under_way(self) -> MutableMapping[str, Any]:
        return self.tasks

    async def complain(self, message: Any, problem: str) -> None:
        await self.send_error(message.get("id") if isinstance(message, dict) else None, {"message": problem})

    async def handle_async_results(
        self, operation_id: str, query: str, operation_name: str | None, variables: dict[str, Any] | None
    ) -> None:
        if await self.follow(operation_id, asyncio.current_task(), query, variables, operation_name):
            return
        await super().handle_async_results(operation_id, query, operation_name, variables)

    async def cleanup_operation(self, operation_id: str) -> None:
        followed = await self.unfollow_id(operation_id)
        await super().cleanup_operation(operation_id)
        if followed:
            await self.send_message({"type": "complete", "id": operation_id})

    async def send_error(self, id: Any, error: dict[str, Any]) -> None:
        answer: Any = {"type": "error", "id": id, "payload": error}
        await self.send_message(answer)


def problem_with(message: Any) -> str | None:
    """The reason why `message`, a decoded frame, is none of the protocols' messages; None if it is one."""
    if not isinstance(message, dict):
        return "WebSocket message must be a JSON object"
    kind = message.get("type")
    if kind not in STARTS | ENDS | OTHERS if isinstance(kind, str) else True:
        return f"Unknown message type: {kind}"
    if kind in STARTS | ENDS and not (isinstance(message.get("id"), str) and message["id"]):
        return f"`id` of {kind} must be a string"
    return problem_with_operation(message.get("payload")) if kind in STARTS else None


def problem_with_operation(payload: Any) -> str | None:
    """The reason why the payload of `subscribe` or `start` is no operation; None if it is one."""
    if not isinstance(payload, dict):
        return "`payload` must be an object"
    if not isinstance(payload.get("query"), str) and not is_probe(payload):
        return QUERY_MISSING
    if not isinstance(payload.get("operationName"), str | None):
        return "`operationName` must be a string or null"
    if not isinstance(payload.get("variables"), dict | None):
        return "`variables` must be an object or null"
    return None
