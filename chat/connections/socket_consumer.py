"""Base of both doors' WebSocket consumers: Channels' own, without its work for consumers of a channel layer."""

import contextlib
from typing import Any

from channels.consumer import get_handler_name
from channels.exceptions import StopConsumer
from channels.generic.websocket import AsyncWebsocketConsumer

from chat.connections.sockets import Gone
from chat.errors import unforeseen


class SocketConsumer(AsyncWebsocketConsumer):
    """A consumer with one place to receive from, the client: it is handed one frame after the other, without a task.

    Channels' own waits for a channel of its own beside the client, in a task each. Here the hub has the one channel of
    this process. And before each frame it has asgiref's thread look after its connection to the database: two switches
    of threads, even where nothing is asked of the database. `in_database` looks after its own.
    """

    channel_layer: Any = None
    handling = False  # a frame, at the moment

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.scope, self.base_send = scope, send
        if socket := scope.get("socket"):
            socket.consumer = self
        try:
            while True:
                message = await receive()
                self.handling = True
                await getattr(self, get_handler_name(message))(message)
                self.handling = False
        except (StopConsumer, Gone):
            pass
        except OSError:
            raise  # the client went away while it was sent something; the server knows
        except Exception as error:
            told = unforeseen(error)
            with contextlib.suppress(OSError):
                await self.close(code=1011, reason=" ".join(told.details.values()))
        finally:
            # Not in disconnect(): a server that stops, or loses patience, cancels this call and disconnects nobody.
            await self.leave()

    @property
    def busy(self) -> bool:
        """Whether the client is owed something: an answer, or events that wait to be written."""
        return self.handling

    async def websocket_disconnect(self, message: Any) -> None:
        raise StopConsumer

    async def leave(self) -> None:
        """Ends whatever it does for a client that is gone."""
        raise NotImplementedError
