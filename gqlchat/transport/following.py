"""Subscribers that share executions: the followers on one connection, and the frames that each is written."""

import json
from collections.abc import MutableMapping
from typing import Any

from chat.connections.sockets import is_gone
from chat.delivery.hub import Hub
from chat.delivery.socket_listener import SocketListener
from chat.delivery.text_frames import text_frame
from chat.errors import ChatError
from gqlchat.schema.context import person_of
from gqlchat.schema.errors import as_payload
from gqlchat.schema.requests import FollowRequest
from gqlchat.transport.sharing import Shared, share


class Follower(SocketListener):
    """One subscriber of a shared operation: gets its results with the own name in them."""

    def __init__(self, shared: Shared, *, scope: Any, send: Any) -> None:
        request = shared.request
        super().__init__(request.logs, request.after, request.person, request.kinds, scope=scope, send=send)
        self.live_kinds = request.live_kinds
        self.is_here = not request.live_kinds  # somebody who only looks isn't there
        self.operation = shared.operation
        self.current_user = json.dumps(request.current_user).encode()
        self.own: tuple[str | None, ...] = ()  # ids of its greetings: the rooms get them too, and it is in the rooms

    async def begin(self, request: FollowRequest) -> None:
        try:
            await Hub.here().join(self)
            await self.started_to_hear()
            greetings = await request.greet()
            for greeting in greetings:
                await self.write(greeting)
            self.own = tuple(greeting.id for greeting in greetings)
            await self.recover()
        except Exception as error:
            await self.fail(error)

    async def started_to_hear(self) -> None:
        """Called when it has joined, before anything is written."""

    def take(self, event: Any) -> None:
        if not self.live_kinds and (not self.own or event.id not in self.own):
            super().take(event)

    def render(self, event: Any) -> bytes | None:
        pieces = self.operation.render(event)
        return None if pieces is None else self.frame_of(event, self.current_user.join(pieces))

    async def render_later(self, event: Any) -> bytes:
        return self.frame_of(event, self.current_user.join(await self.operation.render_later(event)))

    def frame_of(self, event: Any, payload: bytes) -> bytes:
        """The bytes that are written for a result, which is `payload` as JSON."""
        raise NotImplementedError


class SocketFollower(Follower):
    """A subscriber at a WebSocket: gets the results with the own operation's id around them."""

    def __init__(self, connection: "Following", id: str, started: object, shared: Shared) -> None:
        view = connection.view
        super().__init__(shared, scope=view.scope, send=view.base_send)
        self.connection = connection
        self.id = id
        self.started = started
        self.start = f'{{"id":{json.dumps(id)},"type":"{connection.next_type}","payload":'.encode()

    def frame_of(self, event: Any, payload: bytes) -> bytes:
        return text_frame(b"%b%b}" % (self.start, payload))

    async def fail(self, error: Exception) -> None:
        await self.connection.unfollow(self)
        if not is_gone(error):
            await self.connection.end(self.id, self.started, error)


class Following:
    """The part of both protocols' handlers that lets subscribers share executions: the followers, by operation id.

    Strawberry's own handlers take frames out of a queue in a loop. That queue has no end, and fills as fast as a client
    can send. These are handed one frame after the other, by the consumer: while one is being handled, the client waits.
    """

    view: Any
    context: Any
    websocket: Any
    next_type: str

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.followers: dict[str, SocketFollower] = {}

    async def handle(self) -> None:
        """Strawberry calls this with a connection that was accepted; from here on the consumer calls the others."""
        self.view.handler = self

    @property
    def under_way(self) -> MutableMapping[str, Any]:
        """The operations that are under way, by their ids, each as the protocol's handler keeps it."""
        raise NotImplementedError

    async def follow(
        self, id: str, started: object, query: str, variables: dict[str, Any] | None, operation_name: str | None
    ) -> bool:
        """Starts to write the results of a shared subscription; False if it has to be executed on its own.

        `started` is what `under_way` holds for this operation.
        """
        try:
            shared = share(self.view.schema, query, variables, operation_name, person_of(self.context))
            if shared is None:
                return False
            follower = SocketFollower(self, id, started, shared)
        except ChatError:
            return False  # its own execution says so
        except Exception as error:
            await self.end(id, started, error)
            return True
        self.followers[id] = follower
        await follower.begin(shared.request)
        return True

    async def unfollow(self, follower: SocketFollower) -> None:
        """Stops writing to a follower. It may have been stopped before, and its id may be another's by now."""
        if self.followers.get(follower.id) is follower:
            del self.followers[follower.id]
        await follower.close()
        await Hub.here().leave(follower)

    async def unfollow_id(self, id: str) -> bool:
        """Stops the follower that has this id now; False if there is none."""
        follower = self.followers.get(id)
        if follower is None:
            return False
        await self.unfollow(follower)
        return True

    async def end(self, id: str, started: object, error: Exception) -> None:
        """Ends an operation with an error, unless it is over: a client may use its id again as soon as it is."""
        if self.under_way.get(id) is started:
            del self.under_way[id]
            await self.refuse_operation(id, error)

    async def refuse_operation(self, id: str, error: Exception) -> None:
        await self.send_error(id, as_payload(error, self.context))

    async def send_error(self, id: Any, error: dict[str, Any]) -> None:
        """Answers the frame that would have begun operation `id`, or the operation, with an error."""
        raise NotImplementedError
