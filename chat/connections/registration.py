"""Every socket of every door is registered here while it is open."""

from typing import Any

from chat.connections.login_watch import LoginWatch
from chat.connections.sockets import Socket, Sockets
from chat.push.pusher import Pusher


def registered(consumer: Any, *, door: str) -> Any:
    """Around a door's consumer, inside of AuthMiddlewareStack: enters each of its sockets into `Sockets`."""

    async def application(scope: Any, receive: Any, send: Any) -> None:
        socket, sockets = Socket(door, scope, send), Sockets.here()

        async def noting_the_end() -> Any:
            message = await receive()
            while sockets.ending and message["type"] == "websocket.receive":
                message = await receive()
            if message["type"] == "websocket.disconnect":
                socket.ended_by_client(message.get("code"))
            return message

        sockets.add(socket)
        LoginWatch.here().start()
        Pusher.here().start()
        if sockets.ending:
            await socket.close(*sockets.ending)
        try:
            # The router has made this scope for this application alone. Listeners send events by `direct_send`.
            scope |= {"socket": socket, "direct_send": send}
            await consumer(scope, noting_the_end, socket.send)
        finally:
            sockets.remove(socket)
            if not sockets:
                LoginWatch.here().stop()
            socket.consumer = None  # which has the socket in its scope
            socket.log_end(scope["path"])

    return application
