"""GraphQL's two doors: Strawberry's Channels consumers, made fit for strangers."""

import asyncio
import json
from typing import Any

from channels.consumer import get_handler_name
from cross_web import HTTPException
from django.template.loader import render_to_string
from strawberry.channels import GraphQLHTTPConsumer, GraphQLWSConsumer
from strawberry.channels.handlers.http_handler import ChannelsRequest, ChannelsRequestAdapter, ChannelsResponse

from gqlchat.assets import ASSETS
from gqlchat.errors import as_payload
from gqlchat.protocols import LegacyWSHandler, TransportWSHandler, WebSocketAdapter


class RequestAdapter(ChannelsRequestAdapter):
    """Reads headers as HTTP has them: any byte may be in a cookie, UTF-8 or not."""

    @property
    def headers(self) -> dict[str, str]:
        headers = self.request.consumer.scope["headers"]
        return {name.decode("latin1").lower(): value.decode("latin1") for name, value in headers}

    @property
    def content_type(self) -> str | None:
        return self.headers.get("content-type")


class ChatGraphQLHTTPConsumer(GraphQLHTTPConsumer):
    """Queries and mutations, and the page to try them on."""

    channel_layer_alias = None  # one channel for each request would cost two Redis commands, for nothing
    request_adapter_class = RequestAdapter

    async def run(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        """A request that can't be understood is answered the way GraphQL answers: by `errors`."""
        try:
            return await super().run(request, *args, **kwargs)
        except HTTPException as error:
            return self.refusal(error.status_code, {"message": error.reason})
        except Exception as error:
            return self.refusal(500, as_payload(error))

    def refusal(self, status: int, error: dict[str, Any]) -> ChannelsResponse:
        return ChannelsResponse(content=json.dumps({"errors": [error]}).encode(), status=status)

    async def parse_http_body(self, request: Any) -> Any:
        try:
            return await super().parse_http_body(request)
        except (AttributeError, TypeError, UnicodeDecodeError, RecursionError):
            raise HTTPException(400, "The request is no JSON object.") from None

    async def render_graphql_ide(self, request: ChannelsRequest) -> ChannelsResponse:
        page = render_to_string("graphiql.html", {"assets": ASSETS})
        return ChannelsResponse(content=page.encode(), content_type="text/html; charset=utf-8")


class ChatGraphQLWSConsumer(GraphQLWSConsumer):
    """Subscriptions, queries and mutations over both subprotocols."""

    channel_layer_alias = None  # subscriptions listen through the hub, which has the one channel of this process
    graphql_transport_ws_handler_class = TransportWSHandler
    graphql_ws_handler_class = LegacyWSHandler
    websocket_adapter_class = WebSocketAdapter

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            # Ended by the client, the task has ended too. A server that stops cancels this call and disconnects nobody.
            if self.run_task and not self.run_task.done():
                self.run_task.cancel()
                await asyncio.wait([self.run_task])

    async def dispatch(self, message: Any) -> None:
        await getattr(self, get_handler_name(message))(message)  # as chat.consumers does, and for the same reason

    def is_websocket_origin_allowed(self, request: Any, origin: str) -> bool:
        return True  # `mysite.origins` has looked at it

    def decode_json(self, data: str | bytes) -> object:
        """What a frame holds; None, which no frame may be, if it is not JSON."""
        try:
            return json.loads(data)
        except (ValueError, RecursionError):
            return None
