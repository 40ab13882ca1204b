"""The WebSockets that come at once, after a deploy say: they are let in one after the other."""

from asgiref.typing import ASGI3Application, ASGIReceiveCallable, ASGISendCallable, Scope

from chat.delivery.turn_budget import TurnBudget


class ArrivalBudget(TurnBudget):
    """Shared by all WebSockets of an event loop that are asked for.

    To let one in takes about 1.5 ms: session, handshake, permission, what was missed. Hundreds who go through these
    steps together would each time take up whole turns of the loop, and what others post waits for several turns.
    """

    per_turn = 4


class Arrivals:
    """ASGI middleware around everything else: each WebSocket waits until a turn of the event loop has room for it."""

    def __init__(self, application: ASGI3Application) -> None:
        self.application = application

    async def __call__(self, scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        if scope["type"] == "websocket":
            await ArrivalBudget.here().wait()
        await self.application(scope, receive, send)
